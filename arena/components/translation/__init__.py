"""What the translator consists of: vocabularies, line-aligned texts, batches, the network, decoders, scores."""
