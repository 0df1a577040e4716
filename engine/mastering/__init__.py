"""From a mix to a master at the style’s loudness, under a true-peak ceiling."""
