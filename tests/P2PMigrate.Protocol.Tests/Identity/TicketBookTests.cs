using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Protocol.Tests.Identity;

public sealed class TicketBookTests
{
    private const long Now = 1_800_000_000;

    private readonly SeededEntropy _entropy = new(12);
    private readonly TicketBook _book = new();

    [Fact]
    [Trait("Spec", "ID-15")]
    public void A_ticket_is_spent_once()
    {
        TicketRecord ticket = Add(expiresIn: 60);

        Assert.Equal(TicketVerdict.Open, _book.Judge(ticket.Id, Now));
        Assert.True(_book.TrySpend(ticket.Id, Now));
        Assert.False(_book.TrySpend(ticket.Id, Now));
        Assert.Equal(TicketVerdict.Spent, _book.Judge(ticket.Id, Now));
    }

    [Fact]
    [Trait("Spec", "ID-14")]
    public void An_expired_ticket_cannot_be_spent()
    {
        TicketRecord ticket = Add(expiresIn: 60);

        Assert.Equal(TicketVerdict.Expired, _book.Judge(ticket.Id, Now + 60));
        Assert.False(_book.TrySpend(ticket.Id, Now + 60));
    }

    [Fact]
    [Trait("Spec", "ID-16")]
    public void Dead_tickets_are_remembered_for_the_grace_and_then_forgotten()
    {
        TicketRecord spent = Add(expiresIn: 60), expired = Add(expiresIn: 60);
        _book.TrySpend(spent.Id, Now);
        long end = Now + 60 + (long)TicketBook.Grace.TotalSeconds;

        Assert.Equal((TicketVerdict.Spent, TicketVerdict.Expired), (_book.Judge(spent.Id, end - 1), _book.Judge(expired.Id, end - 1)));
        Assert.Null(_book.Judge(spent.Id, end));
        _book.Restore(new TicketRecord(TicketSecret.Create(_entropy), end + 60, IsSpent: false), end);
        Assert.Single(_book.Records);
    }

    [Fact]
    [Trait("Spec", "ID-17")]
    public void A_standing_permission_is_of_use_to_its_holder_only_is_never_used_up_and_ends_with_dismissal()
    {
        using PrivateIdentity own = PrivateIdentity.Create(_entropy), holder = PrivateIdentity.Create(_entropy), thief = PrivateIdentity.Create(_entropy);
        Ticket ticket = Ticket.Standing(holder, own.Public, rendezvous: null, hints: [])!;
        Assert.Null(_book.Judge(ticket.Id, holder.PeerId, Now));

        Assert.True(_book.TryAdmit(own, holder.Public));

        Assert.Equal(TicketVerdict.Open, _book.Judge(ticket.Id, holder.PeerId, Now));
        Assert.True(_book.TrySpend(ticket.Id, Now) && _book.TrySpend(ticket.Id, long.MaxValue));
        Assert.Equal(TicketVerdict.Open, _book.Judge(ticket.Id, holder.PeerId, Now));
        Assert.Null(_book.Judge(ticket.Id, thief.PeerId, Now));
        Assert.Null(_book.Judge(Ticket.Standing(own, holder.Public, rendezvous: null, hints: [])!.Id, own.PeerId, Now));
        Assert.Empty(_book.Records);
        _book.Dismiss(holder.PeerId);
        Assert.Null(_book.Judge(ticket.Id, holder.PeerId, Now));
    }

    [Fact]
    public void A_ticket_never_issued_is_unknown()
    {
        Add(expiresIn: 60);

        Assert.Null(_book.Judge(new TicketId(5), Now));
        Assert.False(_book.TrySpend(new TicketId(5), Now));
    }

    [Fact]
    public void A_full_book_forgets_dead_tickets_first()
    {
        TicketRecord longLived = Add(expiresIn: 10_000), spent = Add(expiresIn: 20_000);
        _book.TrySpend(spent.Id, Now);
        for (int count = 0; count < TicketBook.Capacity - 1; count++)
        {
            Add(expiresIn: 30_000);
        }

        Assert.Equal(TicketBook.Capacity, _book.Records.Count);
        Assert.Null(_book.Judge(spent.Id, Now));
        Assert.Equal(TicketVerdict.Open, _book.Judge(longLived.Id, Now));
    }

    [Fact]
    public void A_book_can_be_kept_across_a_restart()
    {
        TicketRecord ticket = Add(expiresIn: 60);
        _book.TrySpend(ticket.Id, Now);
        var other = new TicketBook();
        foreach (TicketRecord record in _book.Records)
        {
            other.Restore(record, Now);
        }

        Assert.Equal(TicketVerdict.Spent, other.Judge(ticket.Id, Now));
    }

    private TicketRecord Add(long expiresIn)
    {
        var record = new TicketRecord(TicketSecret.Create(_entropy), Now + expiresIn, IsSpent: false);
        _book.Restore(record, Now);
        return record;
    }
}
