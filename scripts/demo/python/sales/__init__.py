"""What sold where: a small package for the demonstration."""
