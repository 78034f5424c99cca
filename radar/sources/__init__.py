"""Where posts come from: base.py says what a source is, then one module a platform; world is the simulated one."""
