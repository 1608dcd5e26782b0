using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// The relay: channels by the ids of their legs. It forwards frames between proven addresses, within each channel's rate,
/// and reads nothing but the header. One owner.
/// </summary>
/// <remarks>spec: chapter 09.</remarks>
internal sealed class RelayTable(RendezvousServerOptions options, IEntropy entropy)
{
    /// <summary>Time between two questions to an address that a leg's frames newly come from.</summary>
    public static readonly TimeSpan CheckInterval = TimeSpan.FromMilliseconds(200);

    private readonly Dictionary<RelayLegId, RelayLeg> _legs = [];
    private readonly HostCounts _hosts = new(options.MaxChannelsPerHost, options.MaxChannels, options.Shares);
    private readonly HostCounts _fleetHosts = new(options.MaxChannelsPerHost, (int)(options.FleetShare * options.MaxChannels), options.Shares);
    private int _fleetChannels;

    /// <summary>Open channels.</summary>
    public int Count => _legs.Count / 2;

    /// <summary>Frames forwarded.</summary>
    public long FramesRelayed { get; private set; }

    /// <summary>Their bytes, headers included.</summary>
    public long BytesRelayed { get; private set; }

    /// <summary>Frames of known legs that were over the rate, or had nowhere to go yet.</summary>
    public long FramesDropped { get; private set; }

    /// <summary>Opens a channel, or gives null when a limit is reached: then the peers have to do without. spec: RLY-06.</summary>
    public RelayChannel? Open(Instant now, NetworkAddress initiator, NetworkAddress responder) =>
        Open(now, initiator, RelayEnd.OfPeer(entropy, initiator), RelayEnd.OfPeer(entropy, responder));

    /// <summary>The responder's part of a channel through two servers; the other server is said to be at <paramref name="claimed"/>. spec: RDV-46.</summary>
    public RelayChannel? OpenFromServer(Instant now, NetworkAddress initiator, NetworkAddress claimed, NetworkAddress responder) =>
        Open(now, initiator, RelayEnd.OfServer(RelayLegId.Create(entropy), claimed), RelayEnd.OfPeer(entropy, responder), isOfFleet: true);

    /// <summary>The initiator's part of a channel through two servers.</summary>
    public RelayChannel? OpenToServer(Instant now, NetworkAddress initiator, RelayLegId trunk, NetworkAddress claimed) =>
        Open(now, initiator, RelayEnd.OfPeer(entropy, initiator), RelayEnd.OfServer(trunk, claimed));

    /// <summary>The leg with that id, if its channel is open.</summary>
    public RelayLeg? Find(Instant now, RelayLegId id) => _legs.TryGetValue(id, out RelayLeg? leg) && now < leg.Channel.ExpiresAt ? leg : null;

    /// <summary>Puts another end in the place of one of a channel's; null when that id is taken.</summary>
    public RelayLeg? Replace(Instant now, RelayLeg old, RelayEnd end)
    {
        _legs.Remove(old.Id);
        if (_legs.ContainsKey(end.Id))
        {
            _legs.Add(old.Id, old);
            return null;
        }

        RelayLeg leg = old.Channel.Replace(now, old, end);
        _legs.Add(leg.Id, leg);
        return leg;
    }

    /// <summary>The responder answered, or a peer asked by name: from now on the channel lives as long as it is used.</summary>
    public void Keep(Instant now, RelayChannel channel)
    {
        channel.IsKept = true;
        channel.ExpiresAt = Instant.Max(channel.ExpiresAt, now + options.ChannelIdleTimeout);
    }

    /// <summary>Opens a channel for one peer that asked by name; nobody is at its other side yet. Null when a limit is reached.</summary>
    // spec: RLY-21
    public RelayChannel? OpenSide(Instant now, NetworkAddress peer, bool isInitiator) =>
        Open(now, peer, RelayEnd.OfPeer(entropy, isInitiator ? peer : default), RelayEnd.OfPeer(entropy, isInitiator ? default : peer));

    /// <summary>
    /// Makes <paramref name="frame"/> one for the other leg, in place, and says where to. <paramref name="toCheck"/> is a leg
    /// whose candidate has to be asked: the frame's, or the other one when nobody knows yet where that is.
    /// </summary>
    public bool TryForward(Instant now, NetworkAddress source, Span<byte> frame, out NetworkAddress destination, out RelayLeg? toCheck, out Refusal refusal)
    {
        destination = default;
        toCheck = null;
        if (!RelayFrame.TryParse(frame, out RelayLegId id, out _, out refusal))
        {
            return false;
        }

        if (Find(now, id) is not { } leg)
        {
            refusal = Refusal.Unexpected; // spec: RLY-03
            return false;
        }

        if (!leg.Channel.TryTake(now, frame.Length))
        {
            FramesDropped++;
            refusal = Refusal.Busy;
            return false;
        }

        toCheck = source != leg.Address && IsCheckDue(now, source, leg) ? leg : null;
        if (leg.Other.Address.IsNone)
        {
            FramesDropped++;
            toCheck = ToAsk(now, leg.Other) ?? toCheck;
            refusal = Refusal.Unexpected; // spec: RDV-47
            return false;
        }

        leg.Heard(source);
        Touch(now, leg.Channel); // spec: RLY-06: what goes nowhere keeps nothing open
        RelayFrame.WriteHeader(frame, leg.Other.Id); // spec: RLY-02
        destination = leg.Other.Address;
        FramesRelayed++;
        BytesRelayed += frame.Length;
        return true;
    }

    /// <summary>The trunk leg of a channel, if the server at its end has not answered yet and can be asked again.</summary>
    public RelayLeg? TrunkToAsk(Instant now, RelayChannel channel) =>
        ToAsk(now, channel.Initiator.IsTrunk ? channel.Initiator : channel.Responder);

    /// <summary>Is that a trunk leg of an open channel?</summary>
    public bool IsTrunk(Instant now, RelayLegId id) => Find(now, id) is { IsTrunk: true };

    /// <summary>Shall the server at the end of that trunk leg be asked now whether it is there and still has it?</summary>
    // spec: RLY-31
    public bool IsTrunkCheckDue(Instant now, RelayLeg leg)
    {
        bool isDue = leg.IsTrunk && IsCheckDue(now, leg.Address.IsNone ? leg.Claimed : leg.Address, leg);
        if (isDue)
        {
            leg.Asked(now);
        }

        return isDue;
    }

    /// <summary>A client, or for a trunk leg a server, echoed a nonce: its leg moves there.</summary>
    public Refusal Confirm(Instant now, NetworkAddress source, LegMessage confirm, bool isServer)
    {
        if (Find(now, confirm.Leg) is not { } leg || leg.IsTrunk != isServer || leg.Candidate != source || leg.Nonce != confirm.Nonce)
        {
            return Refusal.Unexpected;
        }

        leg.Prove(source); // spec: RLY-05
        return Refusal.None;
    }

    /// <summary>Closes what has expired.</summary>
    public void Sweep(Instant now)
    {
        foreach (RelayLeg leg in _legs.Values.Where(leg => leg.Channel.ExpiresAt <= now && leg.Channel.Initiator == leg).ToArray())
        {
            Close(leg.Channel);
        }
    }

    private RelayChannel? Open(Instant now, NetworkAddress openedBy, RelayEnd initiator, RelayEnd responder, bool isOfFleet = false)
    {
        bool isFull = Count >= options.MaxChannels || (isOfFleet && _fleetChannels >= (int)(options.FleetShare * options.MaxChannels)); // spec: RDV-43
        if (isFull || !CountsOf(isOfFleet).HasRoom(openedBy))
        {
            return null;
        }

        var channel = new RelayChannel(options, openedBy, initiator, responder, now) { IsOfFleet = isOfFleet };
        if (!_legs.TryAdd(channel.Initiator.Id, channel.Initiator))
        {
            return null;
        }

        if (!_legs.TryAdd(channel.Responder.Id, channel.Responder))
        {
            _legs.Remove(channel.Initiator.Id);
            return null;
        }

        CountsOf(isOfFleet).Add(openedBy);
        _fleetChannels += isOfFleet ? 1 : 0;
        return channel;
    }

    /// <summary>Forgets a channel.</summary>
    public void Close(RelayChannel channel)
    {
        _legs.Remove(channel.Initiator.Id);
        _legs.Remove(channel.Responder.Id);
        CountsOf(channel.IsOfFleet).Remove(channel.OpenedBy);
        _fleetChannels -= channel.IsOfFleet ? 1 : 0;
    }

    // Whoever made up another server's offer must not use up what a host may have here.
    private HostCounts CountsOf(bool isOfFleet) => isOfFleet ? _fleetHosts : _hosts;

    /// <summary>Something moved on the channel.</summary>
    public void Touch(Instant now, RelayChannel channel)
    {
        if (channel.IsKept)
        {
            channel.ExpiresAt = now + options.ChannelIdleTimeout;
        }
    }

    private RelayLeg? ToAsk(Instant now, RelayLeg leg) => leg.Address.IsNone && IsTrunkCheckDue(now, leg) ? leg : null;

    private bool IsCheckDue(Instant now, NetworkAddress source, RelayLeg leg)
    {
        if (now < leg.NextCheckAt)
        {
            return false;
        }

        if (leg.Candidate != source)
        {
            leg.Candidate = source;
            leg.Nonce = RandomId.Next(entropy);
        }

        leg.NextCheckAt = now + CheckInterval;
        return true;
    }
}
