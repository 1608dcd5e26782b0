namespace P2PMigrate.Lab;

/// <summary>The signals that tests send, with Linux's numbers.</summary>
public enum UnixSignal
{
    Interrupt = 2,
    Kill = 9,
    Terminate = 15,
    Continue = 18,
    Stop = 19,
}
