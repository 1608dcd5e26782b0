using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// Whoever gives pages hears here of those that arrive meanwhile, and asks for those that somebody waits for. What it has not heard of it finds by itself a little later. One caller at a time.
/// </summary>
// spec: MEM-23
internal sealed class ArrivalWatch(string workDirectory) : IDisposable
{
    private const int LettersMax = 64;             // CONST-382: then pages are given
    private const int ChangeMilliseconds = 1;      // CONST-382
    private const int AwaitMilliseconds = 10;      // CONST-382
    private const int SoonMilliseconds = 100;      // CONST-382
    private const int LookMilliseconds = 1000;     // CONST-382

    private readonly LetterBox<LateLetter> _letters = new(workDirectory, LateLetter.Giver);
    private long _looked = Environment.TickCount64;
    private bool _looksSoon; // something has arrived, and it is not known where it belongs

    /// <summary>Has something to read when there is something to hear.</summary>
    public int Descriptor => _letters.Descriptor;

    /// <summary>How long there is nothing to be done, if nothing happens, in milliseconds; for ever when that is negative.</summary>
    public int PatienceFor(LazyBook book, PageGiver giver)
    {
        bool isAwaited = false;
        foreach (LazySpace space in book.Spaces)
        {
            if (space.IsGone) continue;
            if (space.Waiting.Count > 0 || (book.IsRestored && giver.IsHeldUp(space))) return ChangeMilliseconds;
            isAwaited |= space.Awaiting.Count > 0;
        }

        return isAwaited ? AwaitMilliseconds : _looksSoon ? SoonMilliseconds : book.IsRestored ? LookMilliseconds : -1;
    }

    /// <summary>Has a page sent for; false when that could not be said.</summary>
    public bool TryAsk(ulong image, ulong address) =>
        _letters.TrySend(LateLetter.Taker, new LateLetter { Kind = LateLetterKind.Wanted, Pages = PageGiver.FaultPages, Image = image, Address = address });

    /// <summary>Takes in what is said, and looks around when that is due.</summary>
    public void Hear(IReadOnlyList<LazySpace> spaces, PageGiver giver)
    {
        for (int letters = 0; letters < LettersMax && _letters.TryTake(out LateLetter letter); letters++)
        {
            _looksSoon |= letter.Kind == LateLetterKind.LookAround;
            if (letter.Kind != LateLetterKind.Arrived) continue;
            foreach (LazySpace space in spaces)
            {
                if (space.Image == letter.Image && !space.IsGone && !giver.TryExpect(space, letter.Address, letter.Pages)) _looksSoon = true;
            }
        }

        if (Environment.TickCount64 - _looked < (_looksSoon ? SoonMilliseconds : LookMilliseconds)) return;
        (_looked, _looksSoon) = (Environment.TickCount64, false);
        foreach (LazySpace space in spaces) giver.Look(space);
    }

    /// <inheritdoc/>
    public void Dispose() => _letters.Dispose();
}
