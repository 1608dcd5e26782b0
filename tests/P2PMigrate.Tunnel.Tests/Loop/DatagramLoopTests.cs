using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tests.Loop;

/// <summary>The order in which a loop receives and sends.</summary>
public sealed class DatagramLoopTests
{
    private const int TrainLength = 45;

    [Fact]
    public async Task An_owner_without_room_is_emptied_before_it_gets_more()
    {
        using var socket = new BurstSocket(trains: 4 * ReceiveBatch.Capacity);
        var owner = new Relay(capacity: 3 * TrainLength);
        var loop = new DatagramLoop(socket, new LoopClock(TimeProvider.System));
        loop.Start(owner, "loop under test");

        await socket.EverythingCame.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        loop.Stop();
        await loop.Ended;
        Assert.Equal((0, 4 * ReceiveBatch.Capacity * TrainLength), (owner.Dropped, socket.Sent));
    }

    /// <summary>Everything has arrived at once; takes whatever is sent.</summary>
    private sealed class BurstSocket(int trains) : IDatagramSocket
    {
        private readonly AutoResetEvent _wake = new(false);
        private int _left = trains;

        public TaskCompletionSource EverythingCame { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Sent { get; private set; }

        public NetworkAddress Local => default;

        public SiblingSockets? Siblings => null;

        public bool Reaches(NetworkAddress remote) => true;

        public bool Receive(ReceiveBatch batch)
        {
            batch.Clear();
            for (int slot = 0; slot < ReceiveBatch.Capacity && _left > 0; slot++, _left--)
                batch.Add(slot, TrainLength, datagramSize: 1, default);
            return batch.Count == ReceiveBatch.Capacity;
        }

        public int Send(TransmitBatch batch)
        {
            Sent += batch.Count;
            return batch.Count;
        }

        public void Wait(TimeSpan timeout)
        {
            EverythingCame.TrySetResult();
            _wake.WaitOne(timeout);
        }

        public void Wake() => _wake.Set();

        public void Dispose() => _wake.Dispose();
    }

    /// <summary>Sends back what comes, as far as it has room.</summary>
    private sealed class Relay(int capacity) : IDatagramOwner
    {
        private int _waiting;

        public int Dropped { get; private set; }

        public Instant NextTimeout => Instant.Never;

        public bool HasRoom => capacity - _waiting >= TrainLength;

        public void HandleTrain(Instant now, DatagramTrain train)
        {
            int taken = Math.Min(train.Count, capacity - _waiting);
            _waiting += taken;
            Dropped += train.Count - taken;
        }

        public void HandleTimeout(Instant now)
        {
        }

        public void DeliverEvents(Instant now)
        {
        }

        public void FillTransmits(Instant now, TransmitBatch batch)
        {
            for (; _waiting > 0 && !batch.IsFull; _waiting--)
                batch.Add(1, default);
        }

        public void HandleTooLong(Instant now, NetworkAddress remote, int size)
        {
        }

        public void HandleStopped(Exception? error)
        {
        }
    }
}
