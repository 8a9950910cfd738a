"""Methods that mix a lead vocal over a finished backing track: rules, networks, and anchors."""
