using P2PMigrate.Migration.Control;
using P2PMigrate.Protocol;

namespace P2PMigrate.Migration.Tests.Handover;

/// <summary>
/// The session of one job: messages in order and each once, but in what time nobody knows; and when it ends, it ends for good. Each side learns of that by itself.
/// </summary>
internal sealed class HandoverLink(HandoverWorld world)
{
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(40);

    private readonly Dictionary<HandoverSide, Instant> _last = [];
    private readonly List<HandoverSide> _sides = [];
    private Instant _backAt;

    public bool IsUp { get; private set; } = true;

    public void Join(HandoverSide side) => _sides.Add(side);

    /// <summary>Nothing comes through for a while, and nothing is lost.</summary>
    public void GoAway() => _backAt = world.Now + TimeSpan.FromMilliseconds(world.Random.Next(100, (int)s_silence.TotalMilliseconds));

    /// <summary>Says something to the other side.</summary>
    public void Send(HandoverSide from, ControlMessage message)
    {
        if (!IsUp || Other(from) is not { } receiver)
            return;
        Instant at = Instant.Max(Instant.Max(world.Now, _backAt) + TimeSpan.FromMilliseconds(world.Random.Next(1, 300)), _last.GetValueOrDefault(receiver));
        if (world.Faults.IsNetworkAbsurd && world.IsTroubled)
        {
            if (world.Random.Next(4) == 0)
                At(at + TimeSpan.FromMilliseconds(world.Random.Next(1, 20_000)), receiver, message);
            if (world.Random.Next(8) == 0)
                at += TimeSpan.FromMilliseconds(world.Random.Next(1, 2_000));
        }
        else
        {
            _last[receiver] = at;
        }

        At(at, receiver, message);
    }

    /// <summary>It breaks: what is on its way may still arrive, and each side hears of the end when it does.</summary>
    public void Cut()
    {
        if (!IsUp)
            return;
        IsUp = false;
        foreach (HandoverSide side in _sides)
            world.After(s_silence, () => side.HearEnd("lost"));
    }

    /// <summary>One side has ended and closes the session. What it said last arrives, or nearly always does.</summary>
    public void Close(HandoverSide by)
    {
        if (!IsUp || Other(by) is not { } other)
            return;
        if (world.IsTroubled && world.Random.Next(8) == 0)
        {
            Cut();
            return;
        }

        TimeSpan wait = Instant.Max(_last.GetValueOrDefault(other), Instant.Max(world.Now, _backAt)) - world.Now + TimeSpan.FromMilliseconds(1);
        world.At(world.Now + wait, () =>
        {
            IsUp = false;
            other.HearEnd("closed");
        });
    }

    private HandoverSide? Other(HandoverSide side) => _sides.Find(other => other != side);

    private void At(Instant at, HandoverSide receiver, ControlMessage message)
    {
        bool survivesCut = world.Random.Next(2) == 0;
        world.At(at, () =>
        {
            if (IsUp || survivesCut)
                receiver.Hear(message);
        });
    }
}
