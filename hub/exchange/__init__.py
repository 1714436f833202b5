"""nbgrader's exchange, client side: runs in the containers of learners and trainers and imports nothing else of hub."""
