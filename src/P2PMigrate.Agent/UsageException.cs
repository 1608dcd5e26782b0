namespace P2PMigrate.Agent;

/// <summary>The user asked for something that makes no sense here; the message says what to type instead. Exit code 2.</summary>
internal sealed class UsageException(string message, Exception? inner = null) : Exception(message, inner);
