"""Who may sign in, in which role and language, and how they prove who they are."""
