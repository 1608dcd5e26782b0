using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Rendezvous;

namespace P2PMigrate.RendezvousBench;

/// <summary>
/// Many peers, each with an address of loopback for itself, on one thread: the one that calls <see cref="RunUntil"/>.
/// </summary>
internal sealed class Crowd(IPEndPoint server, LoadPlan plan) : IDisposable
{
    private const byte HandshakeInit = 0x51, HandshakeResponse = 0x52; // first bytes of what is carried (04)
    private static readonly TimeSpan s_timerInterval = TimeSpan.FromMilliseconds(10);

    private readonly ConcurrentQueue<(CrowdPeer Peer, byte[] Datagram, long At)> _arrived = new();
    private readonly AutoResetEvent _isAnythingThere = new(false);
    private readonly byte[] _buffer = new byte[RendezvousClientCore.MaxDatagramSize];
    private readonly Random _random = new(1);
    private long _nextTimers;

    /// <summary>Those who register.</summary>
    public List<CrowdPeer> Responders { get; } = [];

    /// <summary>Those who ask.</summary>
    public List<CrowdPeer> Initiators { get; } = [];

    /// <summary>Datagrams sent by the crowd.</summary>
    public long Sent { get; private set; }

    /// <summary>Datagrams that reached it.</summary>
    public long Received { get; private set; }

    /// <summary>How often a peer found its server unreachable.</summary>
    public int Unreachable { get; private set; }

    /// <summary>The measurement of offers that runs now.</summary>
    public OfferRun? Offers { get; set; }

    private static Instant Now => new((long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency)));

    public void AddResponder()
    {
        var peer = new CrowdPeer(AddressOf(1, Responders.Count), server, isRegistering: true, plan.RefreshInterval, Arrive);
        Responders.Add(peer);
        peer.Core.Start(Now);
        Flush(peer);
    }

    public void AddInitiator()
    {
        var peer = new CrowdPeer(AddressOf(2, Initiators.Count), server, isRegistering: false, plan.RefreshInterval, Arrive);
        Initiators.Add(peer);
        peer.Core.Start(Now);
        Flush(peer);
    }

    /// <summary>One peer asks for another, both at random.</summary>
    public void MakeOffer(OfferRun run)
    {
        CrowdPeer initiator = Initiators[_random.Next(Initiators.Count)];
        byte[] init = new byte[780];
        init[0] = HandshakeInit;
        BitConverter.TryWriteBytes(init.AsSpan(1), run.Begin(Stopwatch.GetTimestamp()));
        initiator.Core.Offer(Now, Responders[_random.Next(Responders.Count)].Id, init);
        Flush(initiator);
    }

    /// <summary>Serves everybody until <paramref name="isDone"/>, which is asked again and again with the time that passed.</summary>
    public void RunUntil(Func<TimeSpan, bool> isDone)
    {
        long start = Stopwatch.GetTimestamp();
        while (!isDone(Stopwatch.GetElapsedTime(start)))
        {
            if (_arrived.IsEmpty)
                _isAnythingThere.WaitOne(1);
            for (int left = 1_000; left > 0 && _arrived.TryDequeue(out (CrowdPeer Peer, byte[] Datagram, long At) arrived); left--)
                Handle(arrived.Peer, arrived.Datagram, arrived.At);
            RunTimers();
        }
    }

    public void Dispose()
    {
        Responders.ForEach(peer => peer.Dispose());
        Initiators.ForEach(peer => peer.Dispose());
        _isAnythingThere.Dispose();
    }

    private static IPAddress AddressOf(int group, int index) => new([127, (byte)group, (byte)(index / 250), (byte)(1 + index % 250)]);

    private void Arrive(CrowdPeer peer, byte[] datagram)
    {
        _arrived.Enqueue((peer, datagram, Stopwatch.GetTimestamp()));
        _isAnythingThere.Set();
    }

    private void Handle(CrowdPeer peer, byte[] datagram, long at)
    {
        Received++;
        peer.Core.Handle(Now, datagram);
        while (peer.Core.TryPollEvent(out RendezvousEvent? news))
        {
            switch (news)
            {
                case OfferReceived offer:
                    Offers?.Delivered(BitConverter.ToInt32(offer.Init.Span[1..]), at);
                    peer.Core.Answer(offer.Offer, ResponseTo(offer.Init.Span));
                    break;
                case AnswerReceived answer:
                    Offers?.Answered(BitConverter.ToInt32(answer.Datagram.Span[1..]), at);
                    peer.Core.CloseOffer(answer.Transaction);
                    break;
                case OfferRefused or OfferTimedOut:
                    Offers?.Fail();
                    break;
                case ServerUnreachable:
                    Unreachable++;
                    break;
            }
        }

        Flush(peer);
    }

    private static byte[] ResponseTo(ReadOnlySpan<byte> init)
    {
        byte[] response = new byte[716];
        response[0] = HandshakeResponse;
        init.Slice(1, sizeof(int)).CopyTo(response.AsSpan(1));
        return response;
    }

    private void RunTimers()
    {
        long timestamp = Stopwatch.GetTimestamp();
        if (timestamp < _nextTimers)
            return;
        _nextTimers = timestamp + (long)(s_timerInterval.TotalSeconds * Stopwatch.Frequency);
        Instant now = Now;
        foreach (CrowdPeer peer in Responders.Concat(Initiators))
        {
            if (peer.Core.NextTimeout > now)
                continue;
            peer.Core.HandleTimeout(now);
            Flush(peer);
        }
    }

    private void Flush(CrowdPeer peer) => Sent += peer.SendAll(_buffer);
}
