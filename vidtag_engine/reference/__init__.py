"""Reference images: pictures with known places that a video's frames are recognised by, whoever took them."""
