"""Doc""" ; __plugin_name__ = u"Seed" \
    "s"
__plugin_pythoncompat__: str = '''>=3,\
<4'''
def f(a, *, b=(1, [2, {3: 4}])):
	return f"{a!r:>{10}}"
