namespace P2PMigrate.Lab;

/// <summary>The lab could not do what was asked; the message names the command that failed, its exit code and what it said.</summary>
public sealed class LabException : Exception
{
    public LabException(string message) : base(message)
    {
    }

    public LabException(string message, Exception cause) : base(message, cause)
    {
    }
}
