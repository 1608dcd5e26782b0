using System.Globalization;

namespace P2PMigrate.Lab;

/// <summary>
/// A coturn on the lab's rendezvous host: a TURN server with one user. The program is this machine's own. Disposing ends it.
/// </summary>
public sealed class TurnDaemon : IAsyncDisposable
{
    public const int Port = 3490;

    public const string Username = "lab";

    public const string Password = "a:long@password";

    private const string Program = "/usr/bin/turnserver";
    private const string Realm = "lab.example";

    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(20);

    private readonly LabProcess _process;
    private readonly string _directory;

    private TurnDaemon(LabProcess process, string directory) => (_process, _directory) = (process, directory);

    /// <summary>Is there one on this machine?</summary>
    public static bool IsInstalled => File.Exists(Program);

    /// <summary>As it is typed after <c>--turn</c>.</summary>
    public static string Address => Uri($"{System.Uri.EscapeDataString(Password)}");

    /// <summary>The same with a password that is wrong.</summary>
    public static string WrongAddress => Uri("another");

    /// <summary>What it says about itself, every session included.</summary>
    public LineTranscript Log => _process.Output;

    /// <summary>Starts it and waits until it serves. At most <paramref name="quota"/> allocations at a time, if that is not 0.</summary>
    public static async Task<TurnDaemon> StartAsync(LabNode rendezvous, int quota = 0, CancellationToken cancellationToken = default)
    {
        string directory = Directory.CreateTempSubdirectory("p2pmigrate-turn-").FullName;
        string address = LabAddresses.Rendezvous.ToString();
        LabProcess process = await rendezvous.StartAsync(
            Program,
            [
                "-n", "--log-file=stdout", "--simple-log", "--verbose", $"--listening-ip={address}", $"--relay-ip={address}", string.Create(CultureInfo.InvariantCulture, $"--listening-port={Port}"),
                "--lt-cred-mech", $"--realm={Realm}", $"--user={Username}:{Password}", "--no-tls", "--no-dtls", "--no-cli", "--min-port=49152", "--max-port=49999",
                $"--pidfile={directory}/pid", $"--userdb={directory}/users", string.Create(CultureInfo.InvariantCulture, $"--user-quota={quota}"),
            ],
            cancellationToken).ConfigureAwait(false);
        await process.Output.WaitForAsync(line => line.Contains("UDP listener opened on", StringComparison.OrdinalIgnoreCase), s_startLimit, cancellationToken).ConfigureAwait(false);
        return new TurnDaemon(process, directory);
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync().ConfigureAwait(false);
        Directory.Delete(_directory, recursive: true);
    }

    private static string Uri(string password) => string.Create(CultureInfo.InvariantCulture, $"turn:{Username}:{password}@{LabAddresses.Rendezvous}:{Port}");
}
