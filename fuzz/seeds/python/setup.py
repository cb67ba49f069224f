# coding: latin-1
plugin_identifier = "seed"
plugin_package = ("octoprint_" "seed")
if True: plugin_package = r'other'
