"""whosaid over HTTP and on the command line; everything that reads text is in ``models``."""

from importlib.metadata import version

__version__ = version("whosaid")
