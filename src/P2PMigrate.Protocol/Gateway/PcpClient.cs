using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Gateway;

/// <summary>The client of RFC 6887. To search is to ask for the mapping: a gateway that speaks it has mapped after one round trip.</summary>
internal sealed class PcpClient(GatewayMapperOptions options, GatewayOutbox outbox, IEntropy entropy) : DatagramMappingClient(options, outbox)
{
    private readonly PcpNonce _nonce = PcpNonce.Create(entropy);

    /// <inheritdoc/>
    public override MappingProtocol Protocol => MappingProtocol.Pcp;

    /// <inheritdoc/>
    public override void Search(Instant now)
    {
        MayHoldMapping = true;
        base.Search(now);
    }

    /// <summary>A datagram came from the gateway's port.</summary>
    public Refusal Handle(Instant now, ReadOnlySpan<byte> datagram)
    {
        if (Open == Question.None)
            return Refusal.Unexpected;
        if (datagram.Length >= 4 && datagram[0] != Pcp.Version && datagram[1] >= Pcp.ResponseBit)
            return HandleOtherVersion();
        if (!PcpResponse.TryParse(datagram, out PcpResponse response, out Refusal refusal))
            return refusal;
        if (response.IsMap ? response.Nonce != _nonce || response.InternalPort != Options.Internal.Port : Open != Question.Check)
            return Refusal.Unexpected;
        if (response.IsMap && Open == Question.Check)
            return Refusal.Unexpected; // a repeated answer to what was asked before
        Accept(now, response);
        return Refusal.None;
    }

    /// <inheritdoc/>
    protected override byte[] Compose(Question question)
    {
        NetworkAddress any = NetworkAddress.FromBytes(Options.Internal.Family == IpFamily.V4 ? new byte[4] : new byte[16], 0);
        NetworkAddress suggested = Mapping?.External ?? any.WithPort(Options.Internal.Port);
        return question switch
        {
            Question.Check => Pcp.AnnounceRequest(Options.Internal),
            Question.Delete => new PcpMapRequest(Options.Internal, _nonce, 0, any).ToBytes(),
            _ => new PcpMapRequest(Options.Internal, _nonce, LifetimeSeconds, suggested).ToBytes(),
        };
    }

    /// <summary>RFC 6887, section 9: a server of another version, NAT-PMP's among them, says so in its own.</summary>
    private Refusal HandleOtherVersion()
    {
        if (Open == Question.Search)
        {
            MayHoldMapping = false;
            Fail("The gateway does not speak PCP.");
        }

        return Open == Question.None ? Refusal.None : Refusal.UnknownVersion;
    }

    private void Accept(Instant now, PcpResponse response)
    {
        bool remembers = Epoch.Observe(now, response.Epoch);
        if (Open == Question.Delete)
            Answered();
        else if (response.Result != PcpResult.Success)
            Refuse(response.Result);
        else if (Open == Question.Check && !remembers)
            Ask(now, Question.Map);
        else if (Open == Question.Check)
            Remembered(now);
        else if (response.LifetimeSeconds == 0 || response.External.Port == 0)
            Fail("The gateway granted a mapping without a port or a lifetime.");
        else
            Granted(now, response.External, response.LifetimeSeconds);
    }

    private void Refuse(PcpResult result)
    {
        // While a mapping stands, a trouble that passes is sat out: the question is asked again, until it expires.
        if (Mapping is not null && (result.IsPassing() || Open == Question.Check))
            return;
        MayHoldMapping = Mapping is not null;
        Fail(result.ToSentence());
    }
}
