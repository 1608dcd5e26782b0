using System.Net;
using System.Threading.Channels;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Nat;

namespace P2PMigrate.Tunnel;

/// <summary>Measures, with sockets of its own, how long the NATs before this machine keep a mapping that nobody uses.</summary>
// spec: PATH-83
public static class MappingLifetime
{
    /// <summary>How long a measurement takes at most.</summary>
    public static TimeSpan Longest => LifetimeSurvey.IdleTimes[^1] + TimeSpan.FromSeconds(3);

    /// <summary>
    /// Asks the rendezvous server at <paramref name="server"/>. <paramref name="progress"/> hears whenever more is known. Throws <see cref="TunnelException"/>
    /// when the machine gives no sockets (<see cref="TunnelFailure.Local"/>). A server that does not answer lets nothing be known.
    /// </summary>
    public static async Task<MappingLife> MeasureAsync(IPEndPoint server, IProgress<MappingLife>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(server);
        NetworkAddress address = NetworkAddress.From(server);
        using FreshSockets sockets = FreshSockets.Open(main: default, address, LifetimeSurvey.IdleTimes.Count + 1);
        if (sockets.Ports.Count <= LifetimeSurvey.Asker)
            throw new TunnelException(TunnelFailure.Local, "The machine gives no sockets to measure with.");
        Channel<(int Socket, NetworkAddress From, byte[] Datagram)> arrivals = Channel.CreateBounded<(int, NetworkAddress, byte[])>(64);
        sockets.Start((socket, from, datagram) => arrivals.Writer.WriteAsync((socket, from, datagram), CancellationToken.None).AsTask());
        var clock = new LoopClock(TimeProvider.System);
        var survey = new LifetimeSurvey(clock.Now, address, CryptographicEntropy.Instance);
        MappingLife known = default;
        while (!survey.IsOver)
        {
            SendAll(survey, sockets);
            await WaitAsync(arrivals.Reader, survey.NextTimeout - clock.Now, cancellationToken).ConfigureAwait(false);
            while (arrivals.Reader.TryRead(out (int Socket, NetworkAddress From, byte[] Datagram) arrival))
                survey.TryHandle(clock.Now, arrival.Socket, arrival.From, arrival.Datagram);
            survey.HandleTimeout(clock.Now);
            if (survey.Life != known)
                progress?.Report(known = survey.Life);
        }

        return survey.Life;
    }

    private static void SendAll(LifetimeSurvey survey, FreshSockets sockets)
    {
        byte[] buffer = new byte[LifetimeSurvey.MaxDatagramSize];
        while (survey.TryPollTransmit(buffer, out SurveyTransmit transmit))
            sockets.Send(transmit.Socket, transmit.Destination, buffer.AsSpan(0, transmit.Length));
    }

    private static async Task WaitAsync(ChannelReader<(int, NetworkAddress, byte[])> arrivals, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (limit <= TimeSpan.Zero)
            return;
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timer.CancelAfter(limit);
        try
        {
            await arrivals.WaitToReadAsync(timer.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // It is time for the next question.
        }
    }
}
