using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// Whoever gives pages hears here of those that arrive meanwhile, and asks for those that somebody waits for. What it has not heard of it finds by itself a little later. One caller at a time.
/// </summary>
// spec: MEM-23
internal sealed class ArrivalWatch(string workDirectory) : IDisposable
{
    private const int LettersMax = 64;             // then pages are given
    private const int ChangeMilliseconds = 1;
    private const int AwaitMilliseconds = 10;      // CONST-382
    private const int LookMilliseconds = 1000;     // CONST-382

    private readonly LetterBox<LateLetter> _letters = new(workDirectory, LateLetter.Giver);
    private long _looked = Environment.TickCount64;

    /// <summary>Has something to read when there is something to hear.</summary>
    public int Descriptor => _letters.Descriptor;

    /// <summary>How long there is nothing to be done, if nothing happens, in milliseconds; for ever when that is negative.</summary>
    public static int PatienceFor(LazyBook book)
    {
        bool isAwaited = false;
        foreach (LazySpace space in book.Spaces)
        {
            if (space.IsGone) continue;
            if (space.Waiting.Count > 0 || (book.IsRestored && space.PassedOver < space.Missing.Count)) return ChangeMilliseconds;
            isAwaited |= space.Awaiting.Count > 0;
        }

        return isAwaited ? AwaitMilliseconds : book.IsRestored ? LookMilliseconds : -1;
    }

    /// <summary>Has a page sent for; one that is not heard is asked for once more.</summary>
    public void Ask(ulong image, ulong address) =>
        _letters.TrySend(LateLetter.Taker, new LateLetter { Kind = LateLetterKind.Wanted, Pages = PageGiver.FaultPages, Image = image, Address = address });

    /// <summary>Takes in what is said, and looks around and asks once more when that is due.</summary>
    public void Hear(IReadOnlyList<LazySpace> spaces, PageGiver giver)
    {
        bool isDue = Environment.TickCount64 - _looked >= LookMilliseconds;
        for (int letters = 0; letters < LettersMax && _letters.TryTake(out LateLetter letter); letters++)
        {
            if (letter.Kind != LateLetterKind.Arrived)
            {
                isDue = true;
                continue;
            }

            foreach (LazySpace space in spaces)
            {
                if (space.Image == letter.Image && !space.IsGone) giver.Arrived(space, letter.Address, letter.Pages);
            }
        }

        if (!isDue) return;
        _looked = Environment.TickCount64;
        foreach (LazySpace space in spaces)
        {
            space.PassedOver = 0;
            giver.AskAgain(space);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _letters.Dispose();
}
