using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>What a responder sends first, by which it opens its own NATs.</summary>
public sealed class OpenerTests
{
    // A busy machine lets other programs run between two datagrams of one call: the initiator's probe came before the responder's had left.
    // spec: PATH-85
    [Fact]
    public async Task A_responders_first_probes_leave_before_its_answer()
    {
        await using Peers peers = await Peers.OpenWithServerAsync();
        NotedSocket? notes = null;
        TunnelEndpoint target = await peers.OpenOneAsync(listen => notes = new NotedSocket(DatagramSocket.Open(listen)));
        NetworkAddress server = NetworkAddress.From(peers.Server!.LocalEndPoint);
        peers.FirewallOf(peers.Source).Passes = remote => remote == server; // Message 1 comes by the server alone.

        await Peers.ConnectAsync(peers.Source, target);

        List<(NetworkAddress Remote, DatagramType Type, int Length)> sent = notes!.Sent;
        int answer = sent.FindIndex(datagram => datagram is { Type: DatagramType.Rendezvous, Length: > 400 });
        int probe = sent.FindIndex(datagram => datagram.Remote == NetworkAddress.From(peers.Source.LocalEndPoint) && datagram.Type == DatagramType.Packet);
        Assert.InRange(probe, 0, answer);
    }

    /// <summary>Keeps in mind what was sent, in order. It owns <paramref name="inner"/>.</summary>
    private sealed class NotedSocket(IDatagramSocket inner) : IDatagramSocket
    {
        private readonly List<(NetworkAddress Remote, DatagramType Type, int Length)> _sent = [];

        /// <summary>A copy of what was sent up to now. Any thread.</summary>
        public List<(NetworkAddress Remote, DatagramType Type, int Length)> Sent
        {
            get
            {
                lock (_sent)
                    return [.. _sent];
            }
        }

        public NetworkAddress Local => inner.Local;

        public SiblingSockets? Siblings => inner.Siblings;

        public bool Reaches(NetworkAddress remote) => inner.Reaches(remote);

        public bool Receive(ReceiveBatch batch) => inner.Receive(batch);

        public int Send(TransmitBatch batch)
        {
            lock (_sent)
            {
                for (int i = 0; i < batch.Count; i++)
                    _sent.Add((batch[i].Remote, FirstByte.Classify(batch[i].Bytes), batch[i].Bytes.Length));
            }

            return inner.Send(batch);
        }

        public void Wait(TimeSpan timeout) => inner.Wait(timeout);

        public void Wake() => inner.Wake();

        public void Dispose() => inner.Dispose();
    }
}
