"""Results files behind URLs; imported only when a path is one."""
