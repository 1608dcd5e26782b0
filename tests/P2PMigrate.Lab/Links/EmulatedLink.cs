using System.Text.Json;

namespace P2PMigrate.Lab.Links;

/// <summary>
/// An emulated link between two nodes that is up, run by a process of its own; see <see cref="LinkText"/> for what it can be
/// like. Disposing takes it down, devices included. One caller at a time.
/// </summary>
public sealed class EmulatedLink : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    private readonly LabProcess _process;
    private readonly IAsyncEnumerator<string> _answers;

    private EmulatedLink(LabProcess process)
    {
        _process = process;
        _answers = process.Output.ReadAsync().GetAsyncEnumerator();
    }

    /// <summary>Joins <paramref name="near"/> and <paramref name="far"/>; <paramref name="host"/> is where the emulating process runs and uses its CPU time.</summary>
    public static async Task<EmulatedLink> RaiseAsync(
        LabNode host, LabNode near, LabNode far, string device, string nearAddress, string farAddress, string faults, ulong seed = 1,
        CancellationToken cancellationToken = default)
    {
        string program = typeof(EmulatedLink).Assembly.Location;
        LabProcess process = await host.StartAsync(
            "dotnet",
            [
                program, "link", near.NetworkNamespace, far.NetworkNamespace, .. faults.Split(' ', StringSplitOptions.RemoveEmptyEntries),
                "--device", device, "--addresses", $"{nearAddress},{farAddress}", "--seed", $"{seed}",
            ],
            cancellationToken).ConfigureAwait(false);
        var link = new EmulatedLink(process);
        string answer = await link.AnswerAsync(cancellationToken).ConfigureAwait(false);
        return answer == "ready" ? link : throw new LabException($"the link emulator did not come up: {answer}");
    }

    /// <summary>Changes both directions, such as <c>mtu=1200</c>, from the next packet on.</summary>
    public Task ChangeAsync(string faults, CancellationToken cancellationToken = default) => TellAsync("both " + faults, cancellationToken);

    /// <summary>A link that is down swallows everything, and nobody is told.</summary>
    public Task SetUpAsync(bool isUp, CancellationToken cancellationToken = default) => TellAsync(isUp ? "up" : "down", cancellationToken);

    /// <summary>What the near end sent, and what the far end sent.</summary>
    public async Task<(LinkCounts Near, LinkCounts Far)> CountsAsync(CancellationToken cancellationToken = default)
    {
        JsonElement counts = JsonDocument.Parse(await AskAsync("stats", cancellationToken).ConfigureAwait(false)).RootElement;
        return (counts.GetProperty("near").Deserialize<LinkCounts>(s_json)!, counts.GetProperty("far").Deserialize<LinkCounts>(s_json)!);
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync().ConfigureAwait(false);
        await _answers.DisposeAsync().ConfigureAwait(false);
    }

    private async Task TellAsync(string line, CancellationToken cancellationToken)
    {
        string answer = await AskAsync(line, cancellationToken).ConfigureAwait(false);
        if (answer != "ok") throw new LabException(answer);
    }

    private async Task<string> AskAsync(string line, CancellationToken cancellationToken)
    {
        await _process.Input.WriteLineAsync(line.AsMemory(), cancellationToken).ConfigureAwait(false);
        await _process.Input.FlushAsync(cancellationToken).ConfigureAwait(false);
        return await AnswerAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<string> AnswerAsync(CancellationToken cancellationToken) =>
        await _answers.MoveNextAsync().AsTask().WaitAsync(s_patience, cancellationToken).ConfigureAwait(false)
            ? _answers.Current
            : throw new LabException($"the link emulator ended: {_process.Error.Text}");
}
