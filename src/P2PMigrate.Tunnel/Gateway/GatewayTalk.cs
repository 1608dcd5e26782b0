using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Gateway;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Loop;

namespace P2PMigrate.Tunnel.Gateway;

/// <summary>
/// The sockets and the clock of one <see cref="GatewayMapper"/>: one task owns it, the receivers and HTTP exchanges hand
/// that task what they got. Nothing of this is on the way of the tunnel's packets.
/// </summary>
internal sealed class GatewayTalk
{
    /// <summary>What may wait for the task; more is dropped, as a network would.</summary>
    private const int MaxWaiting = 64;

    private const int MaxDatagram = 2048;

    private readonly IGatewayNetwork _network;
    private readonly GatewayRoute _route;
    private readonly GatewayMapper _mapper;
    private readonly LoopClock _clock;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Dictionary<GatewayChannel, Socket> _sockets = [];
    private readonly Channel<Input> _inputs = Channel.CreateBounded<Input>(
        new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    /// <summary>For <paramref name="route"/>'s gateway; <see cref="RunAsync"/> begins.</summary>
    public GatewayTalk(IGatewayNetwork network, GatewayRoute route, GatewayMapper mapper, TimeProvider time, ILogger logger)
    {
        _network = network;
        _route = route;
        _mapper = mapper;
        _clock = new LoopClock(time);
        _time = time;
        _logger = logger;
    }

    /// <summary>Something for the mapper: a datagram when <paramref name="Exchange"/> is 0, else an HTTP response.</summary>
    private readonly record struct Input(int Exchange, GatewayChannel Channel, NetworkAddress Source, byte[] Bytes);

    /// <summary>
    /// Maps and renews until <paramref name="stop"/>, then releases, for <paramref name="patience"/> at most. Calls
    /// <paramref name="changed"/> with every other mapping. Does not throw.
    /// </summary>
    public async Task RunAsync(Action<PortMapping?> changed, TimeSpan patience, CancellationToken stop)
    {
        using var closing = new CancellationTokenSource();
        try
        {
            OpenSockets(closing.Token);
            _mapper.Start(_clock.Now);
            while (!stop.IsCancellationRequested)
                await TurnAsync(changed, Instant.Never, closing.Token, stop).ConfigureAwait(false);
            _mapper.Release(_clock.Now);
            Instant end = _clock.Now + patience;
            while (!_mapper.IsReleased && _clock.Now < end)
                await TurnAsync(changed, end, closing.Token, CancellationToken.None).ConfigureAwait(false);
            Drain(changed, closing.Token);
        }
        finally
        {
            await closing.CancelAsync().ConfigureAwait(false);
            foreach (Socket socket in _sockets.Values)
                socket.Dispose();
        }
    }

    private void OpenSockets(CancellationToken closing)
    {
        foreach (GatewayChannel channel in Enum.GetValues<GatewayChannel>())
        {
            if (_network.Open(_route, channel) is not { } socket)
                continue;
            _sockets.Add(channel, socket);
            _ = ReceiveAsync(channel, socket, closing);
        }
    }

    private async Task TurnAsync(Action<PortMapping?> changed, Instant latest, CancellationToken closing, CancellationToken stop)
    {
        Drain(changed, closing);
        TimeSpan left = Instant.Min(_mapper.NextTimeout, latest) - _clock.Now;
        if (left > TimeSpan.Zero)
            await WaitAsync(left, stop).ConfigureAwait(false);
        Instant now = _clock.Now;
        while (_inputs.Reader.TryRead(out Input input))
        {
            if (input.Exchange != 0)
                _mapper.HandleReply(now, input.Exchange, input.Bytes);
            else
                _mapper.Handle(now, input.Channel, input.Source, input.Bytes);
        }

        if (now >= _mapper.NextTimeout)
            _mapper.HandleTimeout(now);
    }

    private async Task WaitAsync(TimeSpan left, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(left < GatewayPortMapper.LongestSleep ? left : GatewayPortMapper.LongestSleep, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            await _inputs.Reader.WaitToReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It is time.
        }
    }

    private void Drain(Action<PortMapping?> changed, CancellationToken closing)
    {
        while (_mapper.TryPollTransmit(out GatewayTransmit transmit))
            Send(transmit);
        while (_mapper.TryPollExchange(out GatewayExchange? exchange))
            _ = ExchangeAsync(exchange, closing);
        while (_mapper.TryPollEvent(out GatewayEvent? news))
        {
            if (news is MappingChanged { Mapping: var mapping })
                changed(mapping);
            else if (news is MappingRefused refused)
                Log.MappingRefused(_logger, refused.Protocol, refused.Sentence);
        }
    }

    private void Send(GatewayTransmit transmit)
    {
        try
        {
            if (_sockets.TryGetValue(transmit.Channel, out Socket? socket))
                socket.SendTo(transmit.Datagram.Span, SocketFlags.None, _route.At(transmit.Destination.ToIPAddress(), transmit.Destination.Port));
        }
        catch (SocketException)
        {
            // As if it were lost: it is repeated, or nobody is there.
        }
    }

    private async Task ReceiveAsync(GatewayChannel channel, Socket socket, CancellationToken closing)
    {
        byte[] buffer = new byte[MaxDatagram];
        var any = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!closing.IsCancellationRequested)
        {
            try
            {
                SocketReceiveFromResult received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, any, closing).ConfigureAwait(false);
                _inputs.Writer.TryWrite(new Input(0, channel, NetworkAddress.From((IPEndPoint)received.RemoteEndPoint), buffer[..received.ReceivedBytes]));
            }
            catch (SocketException)
            {
                // A port that is not open there is reported here; it says no more than silence does.
            }
            catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ExchangeAsync(GatewayExchange exchange, CancellationToken closing)
    {
        byte[] reply = await HttpExchange.RunAsync(_network, _route, exchange, _time, closing).ConfigureAwait(false);
        _inputs.Writer.TryWrite(new Input(exchange.Id, GatewayChannel.Control, default, reply));
    }
}
