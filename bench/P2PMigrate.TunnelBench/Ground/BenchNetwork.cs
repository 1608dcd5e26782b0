using P2PMigrate.Lab;
using P2PMigrate.Lab.Links;

namespace P2PMigrate.TunnelBench.Ground;

/// <summary>Two nodes and a link between them, raised for one measurement. Disposing removes everything.</summary>
internal sealed class BenchNetwork : IAsyncDisposable
{
    public const string NearAddress = "10.77.0.1";
    public const string FarAddress = "10.77.0.2";

    private const string OneProcessorEach = ", a processor each";

    private const string VethDevice = "eth0", LinkDevice = "link0";

    private readonly BareLab _lab;

    private BenchNetwork(BareLab lab, EmulatedLink? link) => (_lab, Link) = (lab, link);

    /// <summary>Sends, in most measurements.</summary>
    public LabNode Near => _lab["a"];

    public LabNode Far => _lab["b"];

    /// <summary>Files of this measurement.</summary>
    public string Directory => _lab.WorkDirectory;

    /// <summary>Null on a bare veth.</summary>
    public EmulatedLink? Link { get; }

    /// <summary>CPU time of both ends so far, all their programs together; the emulator is not among them.</summary>
    public TimeSpan CpuTime => Near.CpuTime + Far.CpuTime;

    /// <summary>Bytes that have reached the far end's machine so far, headers and repetitions included.</summary>
    public long ArrivedBytes => Far.ReceivedBytes(Link is null ? VethDevice : LinkDevice);

    public static async Task<BenchNetwork> RaiseAsync(string link, ulong seed, CancellationToken cancellationToken)
    {
        BareLab lab = await BareLab.RaiseAsync(null, ["a", "b", "link"], cancellationToken);
        try
        {
            if (link.EndsWith(OneProcessorEach, StringComparison.Ordinal))
            {
                // As two machines have it: otherwise the scheduler puts the receiver on the sender's processor half of the time.
                (lab["a"].Processor, lab["b"].Processor) = (0, 1);
                link = link[..^OneProcessorEach.Length];
            }

            if (link.StartsWith("veth ", StringComparison.Ordinal))
            {
                await BareLab.JoinAsync((lab["a"], VethDevice, NearAddress + "/24"), (lab["b"], VethDevice, FarAddress + "/24"), cancellationToken);
                foreach (LabNode node in new[] { lab["a"], lab["b"] })
                    await node.ShellAsync(VethMode(link["veth ".Length..]), cancellationToken);
                return new BenchNetwork(lab, null);
            }

            return new BenchNetwork(lab, await EmulatedLink.RaiseAsync(
                lab["link"], lab["a"], lab["b"], LinkDevice, NearAddress + "/24", FarAddress + "/24", link, seed, cancellationToken));
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Link is not null) await Link.DisposeAsync();
        await _lab.DisposeAsync();
    }

    private static string VethMode(string mode) => mode switch
    {
        // Like a card without segmentation of its own: the kernel cuts at the device, and joins again on arrival.
        "nic" => "ethtool -K eth0 tso off tx-udp-segmentation off gso on gro on",
        "on" => "ethtool -K eth0 tso on gso on",
        "off" => "ethtool -K eth0 tso off gso off gro off tx-udp-segmentation off",
        _ => throw new LabException($"a veth is `nic`, `on` or `off`, not `{mode}`"),
    };
}
