"""What the server as a whole answers: connections, static files, health, problems, the description of its calls."""
