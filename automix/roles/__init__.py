"""What a track is and what it is called, from its file name."""

from automix.roles.naming import natural_name, natural_names
from automix.roles.pairs import pair_stem, stereo_pairs
from automix.roles.recognition import NameRole, role_of_name
from automix.roles.traits import FAMILIES, ROLE_TRAITS, ROLES, Family, Role, RoleTraits

__all__ = [
    "FAMILIES",
    "ROLES",
    "ROLE_TRAITS",
    "Family",
    "NameRole",
    "Role",
    "RoleTraits",
    "natural_name",
    "natural_names",
    "pair_stem",
    "role_of_name",
    "stereo_pairs",
]
