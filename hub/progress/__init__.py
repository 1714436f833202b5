"""Events, what is projected from them, and the reporters that carry them further."""
