"""What the translator consists of: words and vocabularies, line-aligned texts, batches, the network, decoders, scores."""
