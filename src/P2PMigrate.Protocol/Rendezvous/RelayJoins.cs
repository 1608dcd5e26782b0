using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// The relay channels that peers ask for by name: each peer has a side, and the server of a fleet that has one side finds the server
/// that has the other (<see cref="FleetExchange"/>). One owner.
/// </summary>
/// <remarks>spec: RLY-20 to RLY-32.</remarks>
internal sealed class RelayJoins(RelayTable relay, IEntropy entropy)
{
    private readonly Dictionary<ChannelTag, RelayChannel> _byTag = [];

    /// <summary>The open channel with that tag.</summary>
    public RelayChannel? Find(Instant now, ChannelTag tag) =>
        _byTag.TryGetValue(tag, out RelayChannel? channel) && now < channel.ExpiresAt ? channel : null;

    /// <summary>Is that the leg of a peer?</summary>
    // spec: RLY-22
    public bool Knows(Instant now, RelayLegId leg) => relay.Find(now, leg) is { IsTrunk: false };

    /// <summary>
    /// The leg of a peer that asks from a proven address: the one that it has, if the relay knows it and it leads somewhere, or its side of
    /// the channel of that name, which is opened if need be. Null when a limit is reached or the side belongs to somebody else.
    /// </summary>
    // spec: RLY-21, RLY-22
    public RelayLeg? Join(Instant now, NetworkAddress source, JoinMessage join)
    {
        if (relay.Find(now, join.Leg) is { IsTrunk: false } known)
        {
            if (known.Channel.Tag is not null || !known.Other.IsLost(now))
            {
                known.Address = source;
                known.Other.Missed(now);
                relay.Touch(now, known.Channel);
                return known;
            }

            relay.Close(known.Channel); // The server at the other end has forgotten it, or is gone: its peer comes back by name.
        }

        if (FindOrOpen(now, source, join) is not { } channel)
        {
            return null;
        }

        RelayLeg? leg = join.IsInitiator ? channel.Initiator : channel.Responder;
        if (leg.Address != source)
        {
            leg = leg.IsFree(now) ? relay.Replace(now, leg, RelayEnd.OfPeer(entropy, source)) : null; // spec: RLY-22
        }

        if (leg is not null)
        {
            leg.Other.Missed(now);
            relay.Keep(now, channel);
        }

        return leg;
    }

    /// <summary>
    /// Another server has the other side of a channel of which a peer here has one: puts a trunk leg there, and says which. Null
    /// when there is nothing to be joined, or the side is somebody's.
    /// </summary>
    // spec: RLY-32
    public RelayLeg? JoinServer(Instant now, FleetSide message, out bool isNew)
    {
        isNew = false;
        if (Find(now, message.Channel) is not { } channel)
        {
            return null;
        }

        RelayLeg there = message.IsInitiator ? channel.Initiator : channel.Responder;
        if (there.Other.IsTrunk || there.Other.Address.IsNone)
        {
            return null;
        }

        RelayLegId trunk = message.IsInitiator ? there.Id : message.Trunk; // the responder's server chooses it
        if (there.IsTrunk && there.Id == trunk && there.Claimed == message.Server)
        {
            return there;
        }

        isNew = there.IsFreeForServer(now);
        return !isNew ? null
            : message.IsInitiator && there.Address.IsNone ? relay.Replace(now, there, RelayEnd.OfServer(trunk, message.Server))
            : relay.Replace(now, there, RelayEnd.OfServer(message.IsInitiator ? RelayLegId.Create(entropy) : trunk, message.Server));
    }

    /// <summary>Forgets the names of channels that have ended.</summary>
    public void Sweep(Instant now)
    {
        foreach ((ChannelTag tag, RelayChannel channel) in _byTag)
        {
            if (channel.ExpiresAt <= now)
            {
                _byTag.Remove(tag);
            }
        }
    }

    private RelayChannel? FindOrOpen(Instant now, NetworkAddress source, JoinMessage join)
    {
        ChannelTag tag = join.Name.Tag;
        if (Find(now, tag) is { } channel)
        {
            return channel;
        }

        channel = relay.OpenSide(now, source, join.IsInitiator);
        if (channel is not null)
        {
            channel.Tag = tag;
            _byTag[tag] = channel;
        }

        return channel;
    }
}
