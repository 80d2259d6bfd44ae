"""İmece: cooperation protocols between municipalities and civil society, run as the law says."""
