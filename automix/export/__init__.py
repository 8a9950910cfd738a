"""Hand-over of a mix to other programs: DAWproject archives and rendered stems."""
