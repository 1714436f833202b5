"""What learners hand in: checked at the border, stored, queued, graded, answered."""
