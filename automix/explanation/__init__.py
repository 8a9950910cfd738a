"""Why a mix is as it is: what set each value, who covers whom, and what each track changes."""
