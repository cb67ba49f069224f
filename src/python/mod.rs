//! Control properties out of a plugin's Python source, without running it.
