"""The parts of the debate screen."""
