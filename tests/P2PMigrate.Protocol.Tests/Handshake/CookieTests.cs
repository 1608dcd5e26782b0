using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Handshake;

[Trait("Spec", "HS-16")]
public sealed class CookieTests : IDisposable
{
    private readonly HandshakePair _pair = new(3, options => options with { FreeHandshakesPerSecond = 2, HandshakesPerSecondAndHost = 3 });

    public void Dispose() => _pair.Dispose();

    [Fact]
    [Trait("Spec", "HS-17")]
    public void Under_load_a_handshake_takes_one_round_trip_more()
    {
        MakeBusy();
        HandshakeInitiator initiator = _pair.Initiate();
        byte[] init = HandshakePair.Poll(initiator);

        HandshakeAnswer first = _pair.Answer(init, out byte[] cookie);
        Assert.Equal((Refusal.CookieRequired, CookieReply.Size), (first.Refusal, first.ReplyLength));
        Assert.True(initiator.TryHandle(_pair.Now, cookie, out _));
        Assert.True(initiator.WasCookieRequired);
        byte[] again = HandshakePair.Poll(initiator);

        Assert.Equal(init[..HandshakeInit.Mac2Offset], again[..HandshakeInit.Mac2Offset]);
        Assert.NotNull(_pair.Answer(again, out byte[] reply).Session);
        Assert.True(initiator.TryHandle(_pair.Now, reply, out _));
    }

    [Fact]
    [Trait("Spec", "HS-15")]
    public void A_cookie_is_worth_nothing_from_another_address_or_much_later()
    {
        MakeBusy();
        HandshakeInitiator initiator = _pair.Initiate();
        _pair.Answer(HandshakePair.Poll(initiator), out byte[] cookie);
        initiator.TryHandle(_pair.Now, cookie, out _);
        byte[] again = HandshakePair.Poll(initiator);

        NetworkAddress owner = _pair.Source;
        _pair.Source = HandshakePair.Address("192.0.2.8:4000");
        Assert.Equal(Refusal.CookieRequired, _pair.Answer(again, out _).Refusal);

        _pair.Source = owner;
        _pair.Now += 2 * CookieSecret.Lifetime;
        MakeBusy();
        Assert.Equal(Refusal.CookieRequired, _pair.Answer(again, out _).Refusal);
    }

    [Fact]
    public void One_host_with_good_cookies_is_held_to_its_rate()
    {
        MakeBusy();
        Refusal refusal = Refusal.None;
        int sessions = 0;
        for (int count = 0; count < 10 && refusal == Refusal.None; count++)
        {
            HandshakeInitiator initiator = _pair.Initiate();
            _pair.Answer(HandshakePair.Poll(initiator), out byte[] cookie);
            initiator.TryHandle(_pair.Now, cookie, out _);
            HandshakeAnswer answer = _pair.Answer(HandshakePair.Poll(initiator), out _);
            refusal = answer.Refusal;
            sessions += answer.Session is null ? 0 : 1;
        }

        Assert.Equal((3, Refusal.Busy), (sessions, refusal));
    }

    [Fact]
    public void A_cookie_for_another_message_is_refused()
    {
        MakeBusy();
        HandshakeInitiator one = _pair.Initiate(), other = _pair.Initiate();
        _pair.Answer(HandshakePair.Poll(one), out byte[] cookie);

        Assert.False(other.TryHandle(_pair.Now, cookie, out Refusal refusal));
        Assert.Equal(Refusal.Unexpected, refusal);

        cookie[^1] ^= 1;
        Assert.False(one.TryHandle(_pair.Now, cookie, out refusal));
        Assert.Equal(Refusal.NotAuthentic, refusal);
    }

    [Fact]
    public void A_cookie_reply_is_smaller_than_what_caused_it() => Assert.True(CookieReply.Size < HandshakeInit.Size && HandshakeResponse.Size < HandshakeInit.Size);

    private void MakeBusy()
    {
        while (_pair.Answer(HandshakePair.Poll(_pair.Initiate()), out _).Refusal != Refusal.CookieRequired)
        {
        }
    }
}
