using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Gateway;

/// <summary>The client of RFC 6886. To search is to ask for the outside address, which is needed anyway.</summary>
internal sealed class NatPmpClient(GatewayMapperOptions options, GatewayOutbox outbox) : DatagramMappingClient(options, outbox)
{
    private NetworkAddress _externalHost;

    /// <inheritdoc/>
    public override MappingProtocol Protocol => MappingProtocol.NatPmp;

    /// <summary>A datagram came from the gateway's port.</summary>
    public Refusal Handle(Instant now, ReadOnlySpan<byte> datagram)
    {
        if (Open == Question.None)
            return Refusal.Unexpected;
        if (!NatPmpResponse.TryParse(datagram, out NatPmpResponse response, out Refusal refusal))
            return refusal;
        bool isAnswer = response.Opcode == (Open is Question.Search or Question.Check ? NatPmp.AddressOpcode : NatPmp.MapUdpOpcode);
        bool isMine = response.Opcode == NatPmp.AddressOpcode || response.Result != NatPmpResult.Success || response.InternalPort == Options.Internal.Port;
        if (!isAnswer || !isMine)
            return Refusal.Unexpected;
        Accept(now, response);
        return Refusal.None;
    }

    /// <inheritdoc/>
    protected override byte[] Compose(Question question) => question switch
    {
        Question.Search or Question.Check => NatPmp.AddressRequest(),
        Question.Delete => NatPmp.MapRequest(Options.Internal.Port, 0, 0),
        _ => NatPmp.MapRequest(Options.Internal.Port, Mapping?.External.Port ?? Options.Internal.Port, LifetimeSeconds),
    };

    private void Accept(Instant now, NatPmpResponse response)
    {
        bool remembers = Epoch.Observe(now, response.Epoch);
        if (Open == Question.Delete)
            Answered();
        else if (response.Result != NatPmpResult.Success)
            Refuse(response.Result);
        else if (response.Opcode == NatPmp.MapUdpOpcode)
            AcceptMapping(now, response);
        else
            AcceptAddress(now, response.ExternalHost, remembers);
    }

    private void AcceptMapping(Instant now, NatPmpResponse response)
    {
        if (response.LifetimeSeconds == 0 || response.ExternalPort == 0)
            Fail("The gateway granted a mapping without a port or a lifetime.");
        else
            Granted(now, _externalHost.WithPort(response.ExternalPort), response.LifetimeSeconds);
    }

    private void AcceptAddress(Instant now, NetworkAddress host, bool remembers)
    {
        _externalHost = host;
        if (Open == Question.Search)
        {
            Answered();
            Stage = ClientStage.Found;
            return;
        }

        if (Mapping is { } mapping)
            Mapping = mapping with { External = host.WithPort(mapping.External.Port) };
        if (remembers)
            Remembered(now);
        else
            Ask(now, Question.Map);
    }

    private void Refuse(NatPmpResult result)
    {
        if (Mapping is not null && (result.IsPassing() || Open == Question.Check))
            return;
        MayHoldMapping = Mapping is not null;
        Fail(result.ToSentence());
    }
}
