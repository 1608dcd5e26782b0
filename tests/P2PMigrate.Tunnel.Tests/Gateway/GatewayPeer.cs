using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using P2PMigrate.Lab;
using P2PMigrate.Protocol.Gateway;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Gateway;

namespace P2PMigrate.Tunnel.Tests.Gateway;

/// <summary>A UDP socket of a lab's source, behind a symmetric NAT whose router runs miniupnpd, with a port mapper. One test owns it.</summary>
internal sealed class GatewayPeer : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly Channel<IReadOnlyList<Candidate>> _changes = Channel.CreateUnbounded<IReadOnlyList<Candidate>>();

    private GatewayPeer(VirtualLab lab, GatewayDaemon daemon, Func<GatewayMapperOptions, GatewayMapperOptions> tune, ILogger logger)
    {
        Lab = lab;
        Daemon = daemon;
        Socket = lab.Source.OpenSocket(SocketType.Dgram, ProtocolType.Udp);
        Socket.Bind(new IPEndPoint(LabAddresses.Source, 0));
        Mapper = new GatewayPortMapper(new GatewayPortMapperOptions
        {
            Local = NetworkAddress.From((IPEndPoint)Socket.LocalEndPoint!), Network = new LabNetwork(lab.Source), Tune = tune, Logger = logger,
        });
    }

    public VirtualLab Lab { get; }

    public GatewayDaemon Daemon { get; }

    public Socket Socket { get; }

    public GatewayPortMapper Mapper { get; }

    public static async Task<GatewayPeer> RaiseAsync(Func<GatewayMapperOptions, GatewayMapperOptions> tune, ILogger logger, GatewayOptions? gateway = null)
    {
        Assert.SkipUnless(LabGround.IsFit, LabGround.WhyNot ?? "");
        VirtualLab lab = await VirtualLab.RaiseAsync(new LabOptions { SourceNat = NatKind.Symmetric });
        return new GatewayPeer(lab, await GatewayDaemon.StartAsync(lab.SourceNat, gateway), tune, logger);
    }

    public void Start() => Mapper.Start(candidates => _changes.Writer.TryWrite(candidates));

    /// <summary>Has what is mapped changed since the last <see cref="ChangeAsync"/>?</summary>
    public bool HasChanged => _changes.Reader.TryPeek(out _);

    /// <summary>The next change of what is mapped.</summary>
    public async Task<IReadOnlyList<Candidate>> ChangeAsync() => await _changes.Reader.ReadAsync().AsTask().WaitAsync(s_patience);

    /// <summary>
    /// Strangers of the internet, to whom the source has never sent anything, send to <paramref name="mapped"/> until something arrives: what?
    /// To renew a mapping, miniupnpd removes its rule and adds it again, and what comes in between is lost; the router remembers such a
    /// stranger as one who wanted itself, so that each time it is another one.
    /// </summary>
    public async Task<string> ReachAsync(NetworkAddress mapped, string text)
    {
        byte[] buffer = new byte[100];
        using var limit = new CancellationTokenSource(s_patience);
        using var clock = new PeriodicTimer(TimeSpan.FromSeconds(1));
        Task<int> arrival = Socket.ReceiveAsync(buffer, SocketFlags.None, limit.Token).AsTask();
        do
        {
            using Socket stranger = Lab.Rendezvous.OpenSocket(SocketType.Dgram, ProtocolType.Udp);
            await stranger.SendToAsync(System.Text.Encoding.ASCII.GetBytes(text), SocketFlags.None, mapped.ToEndPoint());
        }
        while (await Task.WhenAny(arrival, clock.WaitForNextTickAsync(limit.Token).AsTask()) != arrival);
        return System.Text.Encoding.ASCII.GetString(buffer, 0, await arrival);
    }

    public async ValueTask DisposeAsync()
    {
        await Mapper.DisposeAsync();
        Socket.Dispose();
        await Daemon.DisposeAsync();
        await Lab.DisposeAsync();
    }
}
