"""Binary caches: folders, HTTP servers and S3 buckets."""
