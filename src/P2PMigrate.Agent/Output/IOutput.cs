namespace P2PMigrate.Agent.Output;

/// <summary>Shows events to the user. Safe for use from several threads; disposing it leaves the terminal as it was.</summary>
internal interface IOutput : IDisposable
{
    /// <summary>Shows <paramref name="agentEvent"/> now.</summary>
    void Show(AgentEvent agentEvent);
}
