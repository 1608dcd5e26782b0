using System.Text.Json.Serialization;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Stages;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Agent.Output;

/// <summary>The content of a container's files is in a place; it runs on.</summary>
internal sealed record DataPushed(string Container, string Place, long PushedBytes, long KnownBytes) : AgentEvent
{
    public override string ToLine() =>
        $"The files of {Container} are in {Place}: {ByteText.Of(PushedBytes)} were sent, {ByteText.Of(KnownBytes)} were there already. {Container} runs on here.";
}

/// <summary>The content of a container's files is here; nothing runs.</summary>
internal sealed record DataPulled(string Container, string Place, long PulledBytes) : AgentEvent
{
    public override string ToLine() => $"What {Place} has of the files of {Container} is here; {ByteText.Of(PulledBytes)} were new. Nothing of it runs here.";
}

/// <summary>A container is frozen, and its dump is in a place.</summary>
internal sealed record DumpWritten(string Container, string Place, string JobId, long DumpBytes, long MemoryBytes) : AgentEvent
{
    /// <summary>It runs nowhere.</summary>
    public string RunningAt { get; init; } = "none";

    /// <summary>Who sealed it; null when it was not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? SealedBy { get; init; }

    public override string ToLine() =>
        $"{Container} is frozen here, and its dump is in {Place}, {ByteText.Of(DumpBytes)} (memory {ByteText.Of(MemoryBytes)}).\n"
        + $"Next, at the target: p2pmigrate migrate {Container} -s restore-dump -d {Place}{(SealedBy is null ? "" : $" --from {SealedBy}")}\n"
        + $"When it runs there, end the copy here: p2pmigrate resolve {JobId} --keep target\n"
        + $"To take it back: p2pmigrate migrate {Container} -s unfreeze";
}

/// <summary>Turns what a stage says at its end into what the user sees, and into an exit code.</summary>
internal static class StageView
{
    /// <summary>The last event of <c>create-dump</c> and its exit code.</summary>
    public static (AgentEvent Event, ExitCode Code) OfDump(MigrationOutcome outcome, PeerId? sealer) => outcome switch
    {
        DumpCreated dump => (new DumpWritten(dump.Container, dump.Place, dump.JobId.ToString(), dump.DumpBytes, dump.MemoryBytes) { SealedBy = sealer?.ToString() }, ExitCode.Done),
        Migration.MigrationFailed { IsInDoubt: true } failed => (new MigrationFailed(failed.Reason, "none"), ExitCode.InDoubt),
        _ => MigrationView.Of(outcome),
    };

    /// <summary>The last event of <c>restore-dump</c> and its exit code.</summary>
    public static (AgentEvent Event, ExitCode Code) OfRestore(MigrationOutcome outcome)
    {
        (AgentEvent last, ExitCode code) = ArchiveView.Of(outcome);
        return last is ArchiveRestored restored
            ? (restored with { Warning = "The copy at the source is still frozen there; p2pmigrate jobs, at the source, has the command that ends it." }, code) : (last, code);
    }
}
