using System.Text;
using P2PMigrate.Protocol.Turn;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Turn;

/// <summary>The sample messages of RFC 5769, and bytes of nobody.</summary>
public sealed class StunCodecTests
{
    private const string Request = // RFC 5769, section 2.1
        "000100582112a442b7e7a701bc34d686fa87dfae"
        + "802200105354554e207465737420636c69656e74" + "002400046e0001ff" + "80290008932ff9b151263b36"
        + "000600096576746a3a68367659202020" + "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2" + "80280004e57a3bcf";

    private const string AnswerV4 = // section 2.2
        "0101003c2112a442b7e7a701bc34d686fa87dfae" + "8022000b7465737420766563746f7220" + "002000080001a147e112a643"
        + "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7" + "80280004c07d4c96";

    private const string AnswerV6 = // section 2.3
        "010100482112a442b7e7a701bc34d686fa87dfae" + "8022000b7465737420766563746f7220" + "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
        + "00080014a382954e4be67bf11784c97c8292c275bfe3ed41" + "80280004c8fb0b4c";

    private const string LongTerm = // section 2.4
        "000100602112a44278ad3433c6ad72c029da412e" + "00060012e3839ee38388e383aae38383e382afe382b90000"
        + "0015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341" + "0014000b6578616d706c652e6f726700"
        + "00080014f67024656dd64a3e02b8e0712e85c9a28ca89666";

    private static readonly byte[] s_shortTermKey = Encoding.ASCII.GetBytes("VOkJxbRl1RmTxUk/WvJxBt");

    [Theory]
    [InlineData(Request)]
    [InlineData(AnswerV4)]
    [InlineData(AnswerV6)]
    public void Integrity_and_fingerprint_of_the_samples_fit(string sample)
    {
        StunMessage message = Parse(sample);

        Assert.True(message.HasIntegrity(s_shortTermKey));
        Assert.False(message.HasIntegrity("another"u8));
        Assert.Equal("b7e7a701bc34d686fa87dfae", Hex(message.Id));
    }

    [Theory]
    [InlineData(AnswerV4, "192.0.2.1:32853")]
    [InlineData(AnswerV6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")]
    public void Addresses_of_the_samples_are_read(string sample, string address)
    {
        StunMessage message = Parse(sample);

        Assert.Equal((StunMethod.Binding, StunClass.Success), (message.Method, message.Class));
        Assert.True(message.TryFindAddress(StunAttribute.XorMappedAddress, out NetworkAddress found));
        Assert.Equal(address, found.ToString());
    }

    [Fact]
    public void Long_term_credentials_make_the_key_of_the_sample()
    {
        StunMessage message = Parse(LongTerm);

        Assert.True(message.HasIntegrity(StunIntegrity.LongTermKey("マトリックス", "example.org"u8, "TheMatrIX")));
        Assert.False(message.HasIntegrity(StunIntegrity.LongTermKey("マトリックス", "example.org"u8, "thematrix")));
    }

    [Fact]
    public void What_is_written_is_the_sample()
    {
        byte[] buffer = new byte[200];
        var writer = new StunWriter(buffer, StunMethod.Binding, StunClass.Request, StunTransactionId.From(Convert.FromHexString("78ad3433c6ad72c029da412e")));
        writer.Add(StunAttribute.Username, "マトリックス");
        writer.Add(StunAttribute.Nonce, "f//499k954d6OL34oL9FSTvy64sA");
        writer.Add(StunAttribute.Realm, "example.org");
        int length = writer.FinishWithIntegrity(StunIntegrity.LongTermKey("マトリックス", "example.org"u8, "TheMatrIX"));

        Assert.Equal(LongTerm, Convert.ToHexStringLower(buffer.AsSpan(0, length)));
    }

    [Theory]
    [InlineData("192.0.2.1:32853")]
    [InlineData("[2001:db8::7]:1")]
    public void What_is_written_is_read_again(string address)
    {
        Assert.True(NetworkAddress.TryParse(address, out NetworkAddress peer));
        byte[] buffer = new byte[200];
        var writer = new StunWriter(buffer, StunMethod.Send, StunClass.Indication, StunTransactionId.Create(new SeededEntropy(1)));
        writer.Add(StunAttribute.XorPeerAddress, peer);
        writer.Add(StunAttribute.Data, "abcde"u8);
        writer.Add(StunAttribute.Lifetime, 600u);
        int length = writer.FinishWithFingerprint();

        Assert.True(StunMessage.TryParse(buffer.AsSpan(0, length), out StunMessage message, out _));
        Assert.Equal((StunMethod.Send, StunClass.Indication), (message.Method, message.Class));
        Assert.True(message.TryFindAddress(StunAttribute.XorPeerAddress, out NetworkAddress found) && found == peer);
        Assert.True(message.TryFind(StunAttribute.Data, out ReadOnlySpan<byte> data) && data.SequenceEqual("abcde"u8));
        Assert.True(message.TryFindNumber(StunAttribute.Lifetime, out uint lifetime) && lifetime == 600);
        Assert.False(message.TryFind(StunAttribute.Nonce, out _));
    }

    [Fact]
    public void Every_method_and_class_keeps_its_bits()
    {
        byte[] buffer = new byte[StunMessage.HeaderSize];
        for (ushort method = 0; method <= 0xFFF; method++)
        {
            foreach (StunClass role in Enum.GetValues<StunClass>())
            {
                new StunWriter(buffer, (StunMethod)method, role, default).Finish();
                Assert.True(StunMessage.TryParse(buffer, out StunMessage message, out _));
                Assert.Equal(((StunMethod)method, role), (message.Method, message.Class));
            }
        }
    }

    [Fact]
    public void A_sample_that_is_cut_or_altered_is_not_taken()
    {
        foreach (string sample in (string[])[Request, AnswerV4, AnswerV6])
        {
            byte[] whole = Convert.FromHexString(sample);
            for (int length = 0; length < whole.Length; length++)
                Assert.False(StunMessage.TryParse(whole.AsSpan(0, length), out _, out _));
            for (int i = 0; i < whole.Length - 8; i++) // Nothing covers the fingerprint itself, and it covers nothing else.
            {
                byte[] altered = [.. whole];
                altered[i] ^= 1;
                Assert.False(StunMessage.TryParse(altered, out StunMessage message, out _) && message.HasIntegrity(s_shortTermKey));
            }
        }
    }

    [Fact]
    public void What_stands_behind_the_integrity_is_ignored()
    {
        byte[] buffer = new byte[200];
        byte[] key = new byte[16];
        var writer = new StunWriter(buffer, StunMethod.Allocate, StunClass.Success, default);
        int length = writer.FinishWithIntegrity(key);
        writer.Add(StunAttribute.Lifetime, 600u);
        length = writer.Finish();

        Assert.True(StunMessage.TryParse(buffer.AsSpan(0, length), out StunMessage message, out _));
        Assert.True(message.HasIntegrity(key));
        Assert.False(message.TryFind(StunAttribute.Lifetime, out _));
    }

    [Fact]
    public void Attributes_that_must_be_understood_are_reported_and_others_are_not()
    {
        Assert.Equal(0x7F00, Parse("000100082112a442000000000000000000000000" + "7f00000100000000").UnknownAttribute);
        Assert.Equal(0, Parse("000100082112a442000000000000000000000000" + "ff00000100000000").UnknownAttribute);
    }

    [Theory]
    [InlineData("00000401", 401)]
    [InlineData("0000042656", 438)]
    [InlineData("00000464", 0)]
    [InlineData("00000201", 0)]
    [InlineData("000004", 0)]
    public void Error_codes_are_read(string value, int code)
    {
        byte[] buffer = new byte[100];
        var writer = new StunWriter(buffer, StunMethod.Allocate, StunClass.Error, default);
        writer.Add(StunAttribute.ErrorCode, Convert.FromHexString(value));

        Assert.True(StunMessage.TryParse(buffer.AsSpan(0, writer.Finish()), out StunMessage message, out _));
        Assert.Equal(code, message.ErrorCode);
    }

    [Theory]
    [InlineData("40010002abcd", 0x4001, "abcd")]
    [InlineData("4fff0002abcd0000", 0x4FFF, "abcd")]
    [InlineData("40010003abcd", 0, "")]
    [InlineData("40010000", 0, "")]
    [InlineData("40010002abcd00000000", 0, "")]
    [InlineData("50000002abcd", 0, "")]
    [InlineData("3fff0002abcd", 0, "")]
    public void Data_of_channels_is_read(string bytes, int channel, string data)
    {
        Assert.Equal(channel != 0, ChannelData.TryParse(Convert.FromHexString(bytes), out ushort found, out ReadOnlySpan<byte> inner));
        Assert.Equal(data, Convert.ToHexStringLower(inner));
        Assert.True(channel == 0 || found == channel);
    }

    [Fact]
    public void Bytes_of_nobody_make_no_parser_throw()
    {
        var entropy = new SeededEntropy(7);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = entropy.Take(i % 120);
            if (bytes.Length > 20)
                (bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]) = (0, 1, 0, (byte)(bytes.Length - 20), 0x21, 0x12, 0xA4, 0x42);
            if (bytes.Length > 24)
                (bytes[20], bytes[22]) = (0, 0);
            if (StunMessage.TryParse(bytes, out StunMessage message, out _))
                message.TryFindAddress(StunAttribute.XorPeerAddress, out _);
            _ = ChannelData.TryParse(bytes, out _, out _);
        }
    }

    private static StunMessage Parse(string hex)
    {
        Assert.True(StunMessage.TryParse(Convert.FromHexString(hex), out StunMessage message, out Refusal refusal), refusal.ToString());
        return message;
    }

    private static string Hex(StunTransactionId id)
    {
        byte[] bytes = new byte[StunTransactionId.Size];
        id.CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
