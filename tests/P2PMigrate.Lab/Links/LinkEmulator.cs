using System.Runtime;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Simulation.Network;

namespace P2PMigrate.Lab.Links;

/// <summary>
/// A link between two network namespaces: a TUN device in each, and a thread for each direction between them. The model is
/// the simulation's, so a seed and a text mean the same there and here. Rates count IP packets.
/// </summary>
internal sealed class LinkEmulator : IDisposable
{
    private readonly SafeFileHandle _nearDevice;
    private readonly SafeFileHandle _farDevice;
    private readonly LinkDirection[] _directions;
    private readonly LinkFaults[] _faults;

    public LinkEmulator(string nearNamespace, string farNamespace, string device, ulong seed, LinkFaults faults)
    {
        GCSettings.LatencyMode = GCLatencyMode.SustainedLowLatency;
        _nearDevice = NetworkThread.Run("/run/netns/" + nearNamespace, () => LinkNative.OpenTun(device));
        _farDevice = NetworkThread.Run("/run/netns/" + farNamespace, () => LinkNative.OpenTun(device));
        _faults = [faults, faults];
        _directions =
        [
            new LinkDirection("near to far", _nearDevice, _farDevice, seed, faults),
            new LinkDirection("far to near", _farDevice, _nearDevice, ~seed, faults),
        ];
        foreach (LinkDirection direction in _directions) direction.Start();
    }

    /// <summary>
    /// Obeys one line: <c>near loss=5%</c> (what the near end sends), <c>far …</c>, <c>both mtu=1200</c>, <c>down</c>, <c>up</c>,
    /// <c>stats</c>. Returns what to answer.
    /// </summary>
    public string Obey(string line)
    {
        string[] words = line.Trim().Split(' ', 2);
        string rest = words.Length == 2 ? words[1] : "";
        switch (words[0])
        {
            case "stats":
                return JsonSerializer.Serialize(new { near = _directions[0].Counts, far = _directions[1].Counts });
            case "up" or "down":
                foreach (LinkDirection direction in _directions) direction.SetUp(words[0] == "up");
                return "ok";
            case "near" or "far" or "both":
                for (int i = 0; i < 2; i++)
                    if (words[0] == "both" || words[0] == (i == 0 ? "near" : "far")) Change(i, rest);
                return "ok";
            default:
                throw new LabException($"`{line}` is no command: near, far, both, up, down or stats");
        }
    }

    public void Dispose()
    {
        foreach (LinkDirection direction in _directions) direction.Dispose();
        _nearDevice.Dispose();
        _farDevice.Dispose();
    }

    private void Change(int direction, string text)
    {
        _faults[direction] = LinkText.Parse(text, _faults[direction]);
        _directions[direction].Change(_faults[direction]);
    }
}
