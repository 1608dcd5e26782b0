namespace P2PMigrate.Migration.Depots;

/// <summary>A place cannot be used: it is not there, full, refuses, or does not answer. Nothing is known of what was asked for last. The message names the place.</summary>
public sealed class PlaceException(string message, Exception? inner = null) : IOException(message, inner);
