"""The pages where somebody registers (REG-1 to REG-6): each asks what step is due, and leads there."""
