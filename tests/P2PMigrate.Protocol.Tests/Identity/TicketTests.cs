using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Identity;

public sealed class TicketTests
{
    private const string Characters = "abcdefghijklmnopqrstuvwxyz234567ABZ0189-_ \t\u00e9";

    private readonly SeededEntropy _entropy = new(11);

    [Fact]
    [Trait("Spec", "ID-10")]
    public void A_ticket_survives_its_text_with_every_number_of_hints_and_with_and_without_a_rendezvous()
    {
        for (int hints = 0; hints <= Ticket.MaxHints; hints++)
        {
            foreach (string? rendezvous in (string?[])[null, "rendezvous.example:3478", "[2001:db8::1]:1", new string('a', 247) + ":65535"])
            {
                Ticket ticket = Create(rendezvous, hints);
                Assert.True(Ticket.TryParse($"  {ticket.Format()}\n", out Ticket? read, out TicketError error), error.ToSentence());
                Assert.Equal(ticket.Format(), read.Format());
                Assert.Equal((ticket.Responder, ticket.Rendezvous, ticket.Secret, ticket.ExpiresAtUnixSeconds), (read.Responder, read.Rendezvous, read.Secret, read.ExpiresAtUnixSeconds));
                Assert.Equal(ticket.Hints, read.Hints);
            }
        }
    }

    [Fact]
    [Trait("Spec", "ID-11")]
    public void Any_one_altered_character_is_refused_with_a_reason()
    {
        for (int hints = 0; hints < 3; hints++)
        {
            string text = Create("rendezvous.example:3478", hints).Format();
            for (int at = 0; at < text.Length; at++)
            {
                foreach (char other in Characters.Where(character => character != text[at]))
                {
                    AssertRefused(text[..at] + other + text[(at + 1)..]);
                }
            }
        }
    }

    [Fact]
    public void A_ticket_cut_at_any_length_or_with_a_character_more_is_refused()
    {
        string text = Create("rendezvous.example:3478", 1).Format();
        for (int length = 0; length < text.Length; length++)
        {
            AssertRefused(text[..length]);
        }

        foreach (char more in Characters.Where(character => !char.IsWhiteSpace(character)))
        {
            AssertRefused(text + more);
            AssertRefused(more + text);
        }
    }

    [Theory]
    [InlineData(null, TicketError.Empty)]
    [InlineData("   ", TicketError.Empty)]
    [InlineData("hello", TicketError.WrongPrefix)]
    [InlineData("P2PM1abc", TicketError.WrongPrefix)]
    [InlineData("p2pm", TicketError.Damaged)]
    [InlineData("p2pm2aaaaaaaa", TicketError.UnknownVersion)]
    [InlineData("p2pm1AAAAAAAA", TicketError.WrongCharacter)]
    [InlineData("p2pm1", TicketError.Damaged)]
    [InlineData("p2pm1aaaaaaaa", TicketError.Damaged)]
    public void The_reason_says_what_is_wrong(string? text, TicketError expected)
    {
        Assert.False(Ticket.TryParse(text, out _, out TicketError error));
        Assert.Equal(expected, error);
    }

    [Fact]
    public void Random_texts_are_refused_and_never_throw()
    {
        const int Seed = 20_260_103; // change it to try others
        var random = new Random(Seed);
        for (int count = 0; count < 10_000; count++)
        {
            AssertRefused("p2pm1" + new string(random.GetItems<char>("abcdefghijklmnopqrstuvwxyz234567", random.Next(700))));
        }
    }

    [Fact]
    public void An_intact_text_that_makes_no_sense_is_refused()
    {
        Ticket ticket = Create(null, 0);
        Assert.True(Base32.TryDecode(ticket.Format().AsSpan(5), out byte[] bytes));
        Assert.Equal(32 + 16 + 8 + 1 + 1 + 4, bytes.Length);
        for (int length = 0; length < bytes.Length - 4; length++)
        {
            AssertRefused(TicketTextMaker.WithChecksum(bytes.AsSpan(0, length)));
        }

        byte[] zeroKey = bytes[..^4];
        zeroKey.AsSpan(0, 32).Clear();
        AssertRefused(TicketTextMaker.WithChecksum(zeroKey));
        byte[] fiveHints = bytes[..^4];
        fiveHints[^1] = 5;
        AssertRefused(TicketTextMaker.WithChecksum(fiveHints));
    }

    [Fact]
    [Trait("Spec", "ID-14")]
    public void A_ticket_expires_at_its_second()
    {
        Ticket ticket = Create(null, 0);

        Assert.False(ticket.IsExpired(ticket.ExpiresAtUnixSeconds - 1));
        Assert.True(ticket.IsExpired(ticket.ExpiresAtUnixSeconds));
    }

    [Fact]
    public void A_ticket_does_not_show_its_secret()
    {
        Ticket ticket = Create(null, 0);
        byte[] secret = new byte[TicketSecret.Size];
        ticket.Secret.Write(secret);

        Assert.DoesNotContain(Convert.ToHexStringLower(secret), ticket.ToString() + ticket.Secret, StringComparison.OrdinalIgnoreCase);
    }

    private static void AssertRefused(string text)
    {
        Assert.False(Ticket.TryParse(text, out Ticket? ticket, out TicketError error), text);
        Assert.Null(ticket);
        Assert.NotEqual(TicketError.None, error);
        Assert.NotEmpty(error.ToSentence());
    }

    private Ticket Create(string? rendezvous, int hints)
    {
        using var identity = PrivateIdentity.Create(_entropy);
        return new Ticket
        {
            Responder = identity.Public,
            Rendezvous = ServerName.TryParse(rendezvous, out ServerName name) ? name : null,
            Hints = [.. Enumerable.Range(1, hints).Select(index => NetworkAddress.From(System.Net.IPAddress.Parse(index % 2 == 0 ? $"10.0.0.{index}" : $"2001:db8::{index}"), index))],
            Secret = TicketSecret.Create(_entropy),
            ExpiresAtUnixSeconds = 1_800_000_000,
        };
    }

    private static class TicketTextMaker
    {
        public static string WithChecksum(ReadOnlySpan<byte> body)
        {
            uint crc = uint.MaxValue;
            foreach (byte value in body)
            {
                crc = System.Numerics.BitOperations.Crc32C(crc, value);
            }

            return "p2pm1" + Base32.Encode([.. body, .. BitConverter.GetBytes(~crc)]);
        }
    }
}
