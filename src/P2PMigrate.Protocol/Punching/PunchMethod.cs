namespace P2PMigrate.Protocol.Punching;

/// <summary>What a peer does, besides probing all pairs, to get through the NATs between it and the other one.</summary>
// spec: PATH-70
internal enum PunchMethod : byte
{
    /// <summary>Nothing: probes are enough, or there is no hope, or too little is known.</summary>
    None,

    /// <summary>From its one port, it looks for the ports of the other one, whose NAT gives a new one for each destination.</summary>
    Seek,

    /// <summary>From many sockets, and so from many ports, it sends to the one known port of the other one, which seeks.</summary>
    Open,

    /// <summary>Both NATs count their ports up: it sends to one port after the other, in step with its own.</summary>
    Lead,

    /// <summary>The same, and it tries how far the two counts are apart.</summary>
    Follow,

    /// <summary>Both draw from few ports: both send from several sockets to many of the other's, until two meet.</summary>
    Meet,
}
