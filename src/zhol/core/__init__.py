"""Ground floor: what every room needs and nothing about migration."""
