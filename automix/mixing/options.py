"""From a request to what its method is told: preset < config file < options of the request."""

import os

from automix.errors import DeviceError, UsageError
from automix.files.names import printable
from automix.methods.catalog import Method
from automix.mixing.request import MethodRequest, flag_of, option_of
from automix.plan.layers import apply_layers
from automix.plan.loudness import LoudnessTarget
from automix.plan.macros import Macros
from automix.plan.parameters import Settings, parameters


def method_options(request: MethodRequest) -> Settings:
    """The options of the request's method.

    Raises:
        UsageError: The config file cannot be read or has an unknown key, or a value is illegal.
        DeviceError: The file of weights is not there.
    """
    row = request.row
    kind = row.load_options()
    known = parameters(kind)
    _check_weights(request, row)
    preset = row.load_preset(getattr(request, "preset", ""))
    start = {} if preset is None else {n: getattr(preset, n) for n in parameters(type(preset))}
    if "device" in known:
        start["device"] = request.device
    if "weights" in known and request.weights:
        start["weights"] = request.weights
    flags = {}
    for parameter in parameters(type(request)).values():
        sets, value = option_of(parameter).sets, getattr(request, parameter.name)
        if sets is not None and sets[0] not in (Macros, LoudnessTarget) and sets[1] in known:
            if value is False or value == ():  # a switch or a list that is not given says nothing
                continue
            flags[flag_of(parameter)] = (sets[1], value)
            for given, other, decided in row.overrules:
                if given == sets[1] and value is not None:
                    flags[f"{flag_of(parameter)}, {other}"] = (other, decided)
    if request.as_recorded and "as_recorded" in known:
        flags["--as-recorded"] = ("as_recorded", True)
    return apply_layers(kind(**start), request.config, flags, request.constants)


def _check_weights(request: MethodRequest, row: Method) -> None:
    if row.needs_weights and not request.weights:
        raise UsageError(f"--method {row.name} needs --weights FILE, as automix train writes it")
    if row.weights == "file" and request.weights and not os.path.isfile(request.weights):
        raise DeviceError(f"{printable(request.weights)}: there is no such file of weights")
