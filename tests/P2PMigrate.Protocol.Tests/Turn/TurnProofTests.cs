using P2PMigrate.Protocol.Turn;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Turn;

/// <summary>What a client of TURN believes, and of whom.</summary>
public sealed class TurnProofTests
{
    // spec: TURN-02
    [Fact]
    public void Errors_without_a_proof_count_too()
    {
        var world = new TurnWorld();
        (world.Server.SignsErrors, world.Server.Refusal) = (false, (StunMethod.Allocate, 441));
        world.Start();

        Assert.Contains("another user", Assert.Single(world.Sentences), StringComparison.Ordinal);
    }

    // spec: TURN-02
    [Fact]
    public void Nobody_who_does_not_know_the_password_can_grant_anything()
    {
        var world = new TurnWorld();
        world.Client.Start(world.Now);
        Assert.True(world.Client.TryPollTransmit(out ReadOnlyMemory<byte> request));
        world.Client.Handle(world.Now, world.Server.Handle(world.Now, request.Span)!);
        Assert.True(world.Client.TryPollTransmit(out request));
        Assert.True(StunMessage.TryParse(request.Span, out StunMessage message, out _));
        byte[] buffer = new byte[200];
        foreach (byte[]? key in (byte[]?[])[null, new byte[16]])
        {
            var forged = new StunWriter(buffer, StunMethod.Allocate, StunClass.Success, message.Id);
            forged.Add(StunAttribute.XorRelayedAddress, TurnWorld.Peer);
            int length = key is null ? forged.Finish() : forged.FinishWithIntegrity(key);
            Assert.Equal(Refusal.BadMac, world.Client.Handle(world.Now, buffer.AsSpan(0, length)));
        }

        Assert.True(world.Client.Relayed.IsNone);
    }

    // spec: TURN-02
    [Fact]
    public void Nobody_can_grant_anything_before_the_server_has_asked_who_we_are()
    {
        var world = new TurnWorld();
        world.Client.Start(world.Now);
        Assert.True(world.Client.TryPollTransmit(out ReadOnlyMemory<byte> request));
        Assert.True(StunMessage.TryParse(request.Span, out StunMessage message, out _));
        byte[] buffer = new byte[200];
        var forged = new StunWriter(buffer, StunMethod.Allocate, StunClass.Success, message.Id);
        forged.Add(StunAttribute.XorRelayedAddress, TurnWorld.Peer);

        Assert.Equal(Refusal.BadMac, world.Client.Handle(world.Now, buffer.AsSpan(0, forged.Finish())));
        Assert.True(world.Client.Relayed.IsNone);
        world.Pass(TimeSpan.FromSeconds(1)); // The question is open still, and asked again.
        Assert.Equal(world.Server.Relayed, world.Client.Relayed);
    }

    // spec: TURN-03
    [Theory]
    [InlineData(0xFF)]
    [InlineData(0x00)]
    [InlineData((byte)'x')]
    public void A_realm_that_is_no_text_is_said_back_as_it_came(byte filler)
    {
        var world = new TurnWorld();
        world.Server.Realm = [.. Enumerable.Repeat(filler, 763)];
        world.Server.Nonce = new string('n', 763);
        world.Start();

        Assert.Equal(2, world.Sent.Count);
        Assert.True(StunMessage.TryParse(world.Sent[1], out StunMessage message, out _));
        Assert.True(message.TryFind(StunAttribute.Realm, out ReadOnlySpan<byte> realm) && realm.SequenceEqual(world.Server.Realm));
        Assert.Equal(world.Server.Relayed, world.Client.Relayed);
    }

    [Fact]
    public void Bytes_of_nobody_do_no_harm()
    {
        TurnWorld world = new TurnWorld().Start();
        var entropy = new SeededEntropy(3);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = entropy.Take(i % 90);
            world.Client.Handle(world.Now, bytes);
            world.Client.TryUnwrap(world.Now, bytes, out _, out _);
        }

        Assert.Single(world.Events);
    }
}
