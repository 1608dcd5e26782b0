using System.Net;
using System.Xml;
using System.Xml.Linq;

namespace P2PMigrate.Agent.Places;

/// <summary>What the server said to one request.</summary>
internal sealed record S3Answer(HttpStatusCode Status, byte[] Content, string? Writer)
{
    /// <summary>The header in which an object keeps who wrote it.</summary>
    public const string WriterHeader = "x-amz-meta-p2pmigrate-writer";

    /// <summary>Did it do what was asked?</summary>
    public bool IsDone => (int)Status is >= 200 and < 300;

    /// <summary>S3's word for what went wrong; empty where the server gives none, as to every HEAD.</summary>
    public string Code => IsDone ? "" : Document()?.Root?.Elements().FirstOrDefault(element => element.Name.LocalName == "Code")?.Value ?? "";

    /// <summary>May the same request be answered differently in a moment?</summary>
    public bool IsPassing => Status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.Conflict
        || (int)Status is >= 500 and not (int)HttpStatusCode.NotImplemented;

    /// <summary>The content as XML; null when it is none.</summary>
    public XDocument? Document()
    {
        try
        {
            using XmlReader reader = XmlReader.Create(new MemoryStream(Content), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            return XDocument.Load(reader);
        }
        catch (XmlException)
        {
            return null;
        }
    }

    /// <summary>A sentence about a refusal, and what to do about it.</summary>
    // spec: DEP-44
    public IOException ToException(S3Location location) => new((Code, (int)Status) switch
    {
        ("NoSuchBucket", _) => $"There is no bucket {location.Bucket} at {location.Endpoint}. Make it first, or mend the name.",
        ("InvalidAccessKeyId", _) => $"{location.Endpoint} does not know the access key {location.Credentials}. Mend AWS_ACCESS_KEY_ID.",
        ("SignatureDoesNotMatch", _) => $"{location.Endpoint} says that the secret is not that of the access key {location.Credentials}. Mend AWS_SECRET_ACCESS_KEY.",
        ("ExpiredToken" or "InvalidToken", _) => $"{location.Endpoint} no longer takes these credentials. Get new ones, with AWS_SESSION_TOKEN.",
        ("RequestTimeTooSkewed", _) => $"{location.Endpoint} refuses this machine's time. Set its clock.",
        ("AuthorizationHeaderMalformed" or "PermanentRedirect" or "IllegalLocationConstraintException", _) or (_, 301 or 307) =>
            $"The bucket {location.Bucket} is not in the region {location.Region}. Set AWS_REGION, and AWS_ENDPOINT_URL where it is not at AWS.",
        (_, 401 or 403) => $"{location.Endpoint} does not let the access key {location.Credentials} do this in the bucket {location.Bucket}. It needs to list the bucket, and to read, write and remove objects.",
        (_, 404) => $"{location.Endpoint} finds nothing at {location.Bucket}. Is AWS_ENDPOINT_URL an S3 server's?",
        (var code, var status) => $"{location.Endpoint} answered {status}{(code.Length > 0 ? $" ({code})" : "")}.",
    });
}
